import type { Column } from '../../types.ts'

/** The texts of values, as they are sent. */
export type ValueTexts = Iterable<string>

/**
 * Returns the narrowest type, in SQL, that is wider than a column's type and holds the texts, too. Returns
 * undefined where the type holds them already, and where no wider type does: for other types, and for texts
 * that are not of the kind, such as letters for an integer.
 */
export function widerType(column: Pick<Column, 'type' | 'sqlType'>, texts: ValueTexts): string | undefined {
  const { type, sqlType } = column
  if (!type.builtIn || type.kind !== 'base') return undefined
  if (INTEGERS.has(sqlType)) return widerInteger(sqlType, texts)
  const [, kind, first, second] = /^(numeric|character varying)\((\d+)(?:,(\d+))?\)$/.exec(sqlType) ?? []
  if (kind === 'numeric') return widerNumeric(Number(first), Number(second), texts)
  if (kind === 'character varying') return longerVarchar(Number(first), texts)
  return undefined
}

/** How many bits each integer type has. */
const INTEGERS: ReadonlyMap<string, number> = new Map([
  ['smallint', 16],
  ['integer', 32],
  ['bigint', 64],
])

function widerInteger(from: string, texts: ValueTexts): string | undefined {
  let widest = from
  for (const text of texts) {
    const needed = isNumber(text) ? integerFor(text) : from
    if (needed === 'numeric') return needed
    if (INTEGERS.get(needed)! > INTEGERS.get(widest)!) widest = needed
  }
  return widest === from ? undefined : widest
}

/** Returns the narrowest type for a number. */
function integerFor(text: string): string {
  // a longer one is numeric anyway, and would take long to parse
  if (text.length > 30 || !/^\s*[-+]?\d+\s*$/.test(text)) return 'numeric'
  const value = BigInt(text.trim().replace('+', ''))
  for (const [type, bits] of INTEGERS) if (BigInt.asIntN(bits, value) === value) return type
  return 'numeric'
}

/** The server's numeric holds this many digits before the point. */
const MAX_DIGITS = 131_072

/** Returns true for the text of a number that a numeric column holds. */
function isNumber(text: string): boolean {
  return text.length <= MAX_DIGITS && /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,4})?\s*$/i.test(text)
}

const MAX_PRECISION = 1000

/** Returns a type with the same scale: another scale would change the stored values' texts. */
function widerNumeric(precision: number, scale: number, texts: ValueTexts): string | undefined {
  let needed = precision
  for (const text of texts) if (isNumber(text)) needed = Math.max(needed, digitsBeforePoint(text) + scale)
  if (needed === precision) return undefined
  return needed > MAX_PRECISION ? 'numeric' : `numeric(${needed},${scale})`
}

/** Returns how many digits a number may have before its point once it is rounded. */
function digitsBeforePoint(text: string): number {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^\s*[-+]?(\d*)\.?(\d*)(?:e([-+]?\d+))?/i.exec(text) ?? []
  const at = whole.length + Number(exponent)
  const digits = `${whole}${fraction}`.padEnd(at, '0').slice(0, Math.max(0, at)).replace(/^0+/, '')
  // 999.9 may be rounded to 1000
  return digits.length + (/^9*$/.test(digits) ? 1 : 0)
}

/** The longest varchar that can be declared. */
const MAX_VARCHAR = 10_485_760

/** Returns a varchar of twice the length, or of as many times as is needed; text beyond the longest one. */
function longerVarchar(length: number, texts: ValueTexts): string | undefined {
  let needed = length
  for (const text of texts) {
    // the server cuts trailing spaces off
    if (text.length > needed) needed = Math.max(needed, lengthOf(text.replace(/ +$/, '')))
  }
  if (needed === length) return undefined
  let longer = length
  while (longer < needed) longer *= 2
  return longer > MAX_VARCHAR ? 'text' : `character varying(${longer})`
}

/** Returns how many characters the server counts. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
