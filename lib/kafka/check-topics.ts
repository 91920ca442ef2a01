import { expectOption, inArray } from '../options/checks.ts'

/** Returns the topics' names, each once. */
export function checkTopics(name: string, value: unknown): readonly string[] {
  const holds =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(topic => typeof topic === 'string' && topic !== '')
  const expected = "an array of topics' names that is not empty"
  expectOption<readonly string[]>(name, value, expected, holds, inArray(value))
  return [...new Set(value)]
}
