import { isUtf8 } from 'node:buffer'

/** The line that ends the data, if there is one. */
export const END_OF_DATA = '\\.'

export const STRAY_RETURN = 'has a carriage return that is neither \\r nor at the end of each line'
const STRAY_FEED = 'has a line feed that is neither \\n nor at the end of each line'
const STRAY_END = `has "${END_OF_DATA}", which ends the data on a line of its own`

/** What is wrong with a line. The message continues `line 5`. */
export class LineError extends Error {}

/** @throws LineError for what COPY refuses: line ends inside a line, and the end of the data */
export function checkLine(line: string): void {
  if (!/[\r\n]|\\\./.test(line) || line === END_OF_DATA) return
  for (const [found] of line.matchAll(/\\[\s\S]|[\r\n]/g)) {
    if (found === '\r') throw new LineError(STRAY_RETURN)
    if (found === '\n') throw new LineError(STRAY_FEED)
    if (found === END_OF_DATA) throw new LineError(STRAY_END)
  }
}

/** Returns true for a character after an odd number of backslashes. */
export function isEscaped(text: string, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** Cuts a line into its fields, which are still escaped. */
export function splitFields(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let from = 0
  for (let at = line.indexOf(delimiter); at >= 0; at = line.indexOf(delimiter, at + delimiter.length)) {
    if (isEscaped(line, from, at)) continue
    fields.push(line.slice(from, at))
    from = at + delimiter.length
  }
  return [...fields, line.slice(from)]
}

const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** @throws LineError for escapes that are no text */
export function unescaped(field: string): string {
  if (!field.includes('\\')) return field
  const bytes: Buffer[] = []
  for (const [piece, octal, hex, other] of field.matchAll(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{1,2})|([\s\S]))|[^\\]+|\\$/g,
  )) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]))
    else if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]))
    else if (piece === '\\')
      throw new LineError('ends with a backslash that escapes nothing (a truncated file?)')
    else bytes.push(Buffer.from(other === undefined ? piece : (CONTROLS[other] ?? other)))
  }
  const whole = Buffer.concat(bytes)
  if (!isUtf8(whole)) throw new LineError('has escaped bytes that are not UTF-8')
  return whole.toString()
}
