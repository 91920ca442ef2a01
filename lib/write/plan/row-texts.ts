import { inspect } from 'node:util'
import { FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvColumns, CsvRecord } from '../../csv/record.ts'
import type { Codec } from '../../encode/codecs/codec.ts'
import { hexOf } from '../../encode/codecs/hex.ts'
import { bytesOf, prepareValue } from '../../encode/codecs/parameter.ts'
import type { PlannedColumn } from './planned-columns.ts'
import type { BinaryValue } from './texts-of-bytes.ts'

/** A row as the server would have got it, for whoever wants to look at it, or to write it again. */
export interface RowTexts {
  /** By column: the text that would have been sent, or null. A missing key is missing here, too. */
  readonly values: Readonly<Record<string, string | null>>
  /** The columns whose value cannot be made into text, each with what can be shown of it. */
  readonly withoutText: Readonly<Record<string, string>>
  /** Of these columns, those whose text the server can tell. */
  readonly binary: readonly BinaryColumn[]
}

export interface BinaryColumn extends BinaryValue {
  readonly column: string
}

export const NO_TEXTS: RowTexts = Object.freeze({ values: {}, withoutText: {}, binary: [] })

/**
 * Makes texts of rows that are objects. It never throws: a rejected row may be one that nothing can be made of.
 * @param keepUnknown a key that is not a column is why a row was rejected, and so a part of it
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
    // a column may be called __proto__, which a plain assignment would lose
    return { values: Object.fromEntries(values), withoutText: Object.fromEntries(withoutText), binary }
  }
}

/** Makes texts of records of a CSV file. A record with too few fields, or too many, has no columns to tell them by. */
export function makeRecordTexts({ format, fields }: CsvColumns): (row: object) => RowTexts {
  const cutter = new FieldCutter(format)
  return record => {
    if (!(record instanceof CsvRecord) || cutter.cut(record) !== fields.length) return NO_TEXTS
    const values = fields.flatMap((column, field): [string, string | null][] =>
      column === undefined ? [] : [[column, cutter.text(record.chunk, field)]],
    )
    return { values: Object.fromEntries(values), withoutText: {}, binary: [] }
  }
}

/** The text of a parameter; the bytes of one that has none here. */
function textOf(value: unknown, codec: Codec | undefined): string | null | Buffer {
  if (value === null) return null
  const parameter = codec ? codec.text(value) : prepareValue(value)
  if (parameter === null) return null
  if (typeof parameter === 'string') return parameter.replace(LONE_SURROGATE, '\ufffd')
  return codec ? (codec.textOfBinary?.(parameter) ?? parameter) : hexOf(parameter)
}

/** Half of a character: UTF-8 has none, and what is sent for it is U+FFFD. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** Enumerable keys, inherited ones too, as `for … in` lists them. */
function keysOf(row: object): string[] {
  const keys: string[] = []
  try {
    for (const key in row) keys.push(key)
  } catch {
    // a proxy that does not list its keys; the columns can be read all the same
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

/** The same texts, with those that the server has told of binary columns. */
export function withTexts(
  { values, withoutText }: Pick<RowTexts, 'values' | 'withoutText'>,
  binary: readonly BinaryColumn[],
  texts: ReadonlyMap<BinaryColumn, string>,
): Pick<RowTexts, 'values' | 'withoutText'> {
  const told = new Map(binary.flatMap(value => (texts.has(value) ? [[value.column, texts.get(value)!]] : [])))
  const left = Object.entries(withoutText).filter(([column]) => !told.has(column))
  return {
    values: Object.fromEntries([...Object.entries(values), ...told]),
    withoutText: Object.fromEntries(left),
  }
}
