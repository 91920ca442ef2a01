import { COPY_HEADER_BYTES } from '../../connection/copy-in.ts'
import { NEWLINE, TAB } from '../../encode/wire/text-format.ts'
import type { EncodedRows } from '../rows/batch.ts'

const INT2_BYTES = 2
const INT4_BYTES = 4

/**
 * Returns the texts of those values of a column that its type may not hold, in rows that are held only as
 * bytes.
 * @param field the position of the column among those that are sent
 * @param type the name of an integer type, numeric or varchar
 */
export function* textsHeld(held: EncodedRows, field: number, type: string): Generator<string> {
  const textOf = TEXT_OF_BINARY.get(type)
  for (const piece of held.pieces) {
    const rows = piece.subarray(COPY_HEADER_BYTES)
    if (held.format === 'text') yield* textFields(rows, field)
    else if (textOf) {
      for (const fields of binaryRows(rows)) if (fields[field]) yield textOf(fields[field])
    }
  }
}

/** Returns the fields of each row of a binary COPY; null for NULL. */
export function* binaryRows(bytes: Buffer): Generator<(Buffer | null)[]> {
  for (let at = 0; at < bytes.length; ) {
    const fields: (Buffer | null)[] = []
    const count = bytes.readInt16BE(at)
    at += INT2_BYTES
    for (let field = 0; field < count; field++) {
      const length = bytes.readInt32BE(at)
      at += INT4_BYTES
      fields.push(length < 0 ? null : bytes.subarray(at, at + length))
      at += Math.max(0, length)
    }
    yield fields
  }
}

/** The signs of a numeric that is a number. */
const SIGNS: ReadonlyMap<number, string> = new Map([
  [0x0000, ''],
  [0x4000, '-'],
])

/** How many digits a digit to the base of 10,000 stands for. */
const DIGITS = 4

/** How many bytes precede the digits of a numeric. */
const HEAD = 8

/** Returns `NaN` for what is not a number: infinities, and bytes of the user's that have another form. */
function numericText(bytes: Buffer): string {
  if (bytes.length < HEAD || bytes.length !== HEAD + 2 * bytes.readInt16BE(0)) return 'NaN'
  const [weight, sign] = [bytes.readInt16BE(2), SIGNS.get(bytes.readUInt16BE(4))]
  if (sign === undefined) return 'NaN'
  let digits = ''
  for (let at = HEAD; at < bytes.length; at += 2)
    digits += String(bytes.readInt16BE(at)).padStart(DIGITS, '0')
  const whole = (weight + 1) * DIGITS
  return whole > 0
    ? `${sign}${digits.slice(0, whole).padEnd(whole, '0')}.${digits.slice(whole)}`
    : `${sign}0.${'0'.repeat(-whole)}${digits}`
}

/** Integers are missing here: those that have a binary form fit their column. */
const TEXT_OF_BINARY: ReadonlyMap<string, (bytes: Buffer) => string> = new Map([
  ['varchar', bytes => bytes.toString()],
  ['numeric', numericText],
])

/** Each escape becomes one character, which is all that a length needs. */
function* textFields(bytes: Buffer, field: number): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at)
    let from = at
    for (let skipped = 0; skipped < field; skipped++) from = bytes.indexOf(TAB, from) + 1
    const tab = bytes.indexOf(TAB, from)
    const text = bytes.toString('utf8', from, tab < 0 ? end : Math.min(tab, end))
    if (text !== '\\N') yield text.replace(/\\(.)/g, '$1')
    at = end + 1
  }
}
