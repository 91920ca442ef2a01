import { inspect } from 'node:util'
import { FieldCutter } from '../../../csv/field-cutter.ts'
import { CsvRecord } from '../../../csv/record.ts'
import type { FieldCodec } from '../../../encode/codecs/codec.ts'
import { bytesOf, prepareValue } from '../../../encode/codecs/parameter.ts'
import { hexOf } from '../../../encode/codecs/text/hex.ts'
import type { CsvColumns } from '../../../encode/row-encoder.ts'
import type { PlannedColumn } from '../planned-columns.ts'
import type { BinaryValue } from './texts-of-bytes.ts'

/** A row as texts that the server would store as the same values: to read, or to write again. */
export interface RowTexts {
  /** By column: the text that would have been sent, or null. A missing key is also missing here. */
  readonly values: Readonly<Record<string, string | null>>
  /** The columns whose value has no text form here, each with something that shows the value. */
  readonly withoutText: Readonly<Record<string, string>>
  /** The columns of `withoutText` whose text the server can make. */
  readonly binary: readonly BinaryColumn[]
}

export interface BinaryColumn extends BinaryValue {
  readonly column: string
}

export const NO_TEXTS: RowTexts = Object.freeze({ values: {}, withoutText: {}, binary: [] })

/**
 * Returns a function that makes texts of rows that are objects. It never throws, because a rejected row may
 * be unreadable.
 * @param keepUnknown keep keys that are not columns, because they are a reason to reject a row
 */
export function makeRowTexts(
  columns: readonly PlannedColumn[],
  keepUnknown: boolean,
): (row: object) => RowTexts {
  const names = new Set(columns.map(({ name }) => name))
  const unknownColumn = (name: string): PlannedColumn => ({
    name,
    read: row => (row as Record<string, unknown>)[name],
  })
  return row => {
    const values: [string, string | null][] = []
    const withoutText: [string, string][] = []
    const binary: BinaryColumn[] = []
    const unknown = keepUnknown ? keysOf(row).filter(key => !names.has(key)) : []
    for (const { name, read, known } of [...columns, ...unknown.map(unknownColumn)]) {
      let value: unknown
      try {
        value = read(row)
        if (value === undefined) continue
        const text = textOf(value, known?.codec)
        if (!Buffer.isBuffer(text)) {
          values.push([name, text])
          continue
        }
        withoutText.push([name, hexOf(text)])
        if (known) binary.push({ column: name, type: known.column.type, bytes: text })
      } catch (error) {
        withoutText.push([name, shown(value ?? error)])
      }
    }
    // not by assignment, because a column may be called __proto__
    return { values: Object.fromEntries(values), withoutText: Object.fromEntries(withoutText), binary }
  }
}

/**
 * Returns a function that makes the texts of a record of a CSV file. A malformed record, or one with too few
 * or too many fields, has no texts: it is not clear to which columns its fields belong.
 */
export function makeRecordTexts({ format, fields }: CsvColumns): (row: object) => RowTexts {
  const cutter = new FieldCutter(format)
  return record => {
    if (!(record instanceof CsvRecord) || record.fault !== undefined) return NO_TEXTS
    if (cutter.cut(record) !== fields.length) return NO_TEXTS
    const values = fields.flatMap((column, field): [string, string | null][] =>
      column === undefined ? [] : [[column, cutter.text(record.chunk, field)]],
    )
    return { values: Object.fromEntries(values), withoutText: {}, binary: [] }
  }
}

/** Returns the text of a value; its bytes where it has no text form here. */
function textOf(value: unknown, codec: FieldCodec | undefined): string | null | Buffer {
  if (value === null) return null
  const parameter = codec ? codec.text(value) : prepareValue(value)
  if (parameter === null) return null
  if (typeof parameter === 'string') return parameter.replace(LONE_SURROGATE, '\ufffd')
  return codec ? (codec.textOfBinary?.(parameter) ?? parameter) : hexOf(parameter)
}

/** Half of a character, which UTF-8 does not have: U+FFFD is sent for it. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** Returns the enumerable keys, including inherited ones, as `for … in` does. */
function keysOf(row: object): string[] {
  const keys: string[] = []
  try {
    for (const key in row) keys.push(key)
  } catch {
    // a proxy that does not list its keys; its columns can still be read
  }
  return keys
}

function shown(value: unknown): string {
  try {
    if (ArrayBuffer.isView(value)) return hexOf(bytesOf(value))
    return inspect(value, { depth: 4, customInspect: false })
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Returns the same texts, with those that the server has made for binary columns. */
export function withTexts(
  { values, withoutText }: Pick<RowTexts, 'values' | 'withoutText'>,
  binary: readonly BinaryColumn[],
  texts: ReadonlyMap<BinaryColumn, string>,
): Pick<RowTexts, 'values' | 'withoutText'> {
  const received = new Map(
    binary.flatMap(value => (texts.has(value) ? [[value.column, texts.get(value)!]] : [])),
  )
  const left = Object.entries(withoutText).filter(([column]) => !received.has(column))
  return {
    values: Object.fromEntries([...Object.entries(values), ...received]),
    withoutText: Object.fromEntries(left),
  }
}
