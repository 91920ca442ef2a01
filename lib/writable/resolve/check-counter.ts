import { expectOption } from '../../options/checks.ts'

/** Checks the memory in which threads count together. */
export function checkCounter(name: string, value: unknown): Int32Array {
  const holds = value instanceof Int32Array && value.length === 1
  expectOption<Int32Array>(name, value, 'an Int32Array of one number', holds)
  return value
}
