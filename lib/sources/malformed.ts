import { isUtf8 } from 'node:buffer'
import { hexText } from './hex-text.ts'
import type { SourceRow } from './rows.ts'

/** The key under which the rejects keep the text of a record that cannot be cut into fields. */
export const RAW_KEY = 'pg_batch_raw'

/** What is wrong with the rows that stand for malformed records. Other rows are not in it. */
const faults = new WeakMap<object, string>()

/** Returns a row that stands for a malformed record: its text, and why it is to be rejected. */
export function malformedRow(raw: Buffer | string, fault: string): SourceRow {
  const row = { [RAW_KEY]: rawText(raw) }
  faults.set(row, fault)
  return row
}

/** Returns why a row is to be rejected, or undefined for a row that could be read. */
export function faultOf(row: object): string | undefined {
  return faults.get(row)
}

/** Returns the text itself, and in hex (`\x…`) what is not UTF-8: U+FFFD would hide what was there. */
export function rawText(raw: Buffer | string): string {
  if (typeof raw === 'string') return raw
  return isUtf8(raw) ? raw.toString() : hexText(raw)
}
