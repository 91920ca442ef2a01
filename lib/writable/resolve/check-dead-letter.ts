import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { checkString, expectOption, optionError } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import type { DeadLetterTable } from '../../write/rejects/dead-letter.ts'
import { checkTable } from './check-table.ts'

const TABLE_OPTIONS = Object.freeze({
  table: required(checkTable),
  file: optional(checkString),
})

/** Where rejected rows go: a stream, or a table. */
export interface DeadLetterOption {
  readonly stream?: Writable
  readonly table?: DeadLetterTable
}

export function checkDeadLetter(name: string, options: unknown): DeadLetterOption {
  const isText = typeof options === 'string' && options !== ''
  const hint = isText ? `for a file write \`ndjsonDeadLetter(${inspect(options)})\`` : undefined
  const holds = typeof options === 'object' && options !== null && !Array.isArray(options)
  const expected = 'a Writable in object mode or { table }'
  expectOption<Record<string, unknown>>(name, options, expected, holds, hint)
  if (typeof options.write === 'function') {
    const stream = options as unknown as Writable
    expectOption(name, stream, 'a Writable in object mode', stream.writableObjectMode !== false)
    return { stream }
  }
  if (options.file !== undefined && options.table === undefined) {
    throw optionError(
      'Expected `deadLetter.table` with `deadLetter.file`: it keeps rows until they are in the file',
    )
  }
  const { table, file } = resolveOptions(name, TABLE_OPTIONS, options, `${name}.`)
  return { table: { table, file: file && resolve(file) } }
}
