import { isServerError } from '../../connection/server-error.ts'
import type { PgBatchError } from '../../errors.ts'
import { shellWord } from '../../sources/shell-word.ts'
import { NO_VALUE } from '../../values/text/no-value.ts'
import type { LoadArguments } from '../arguments/arguments.ts'

const AS_TEXT = 'load it into a text column, and convert it there'

/** A spelling of values that a kind of types does not take, and what to do about it. */
interface Spelling {
  readonly type: RegExp
  readonly value: RegExp
  readonly hint: string
}

const NUMBER = /^(numeric|real|double precision|smallint|integer|bigint)\b/
const DECIMAL = /^(numeric|real|double precision)\b/
const INTEGER = /^(smallint|integer|bigint)\b/

/** Yes and no, as people and spreadsheets write them elsewhere. */
const WORDS =
  /^(ja|nein|wahr|falsch|oui|non|vrai|faux|s[ií]|sim|n[aã]o|verdader[oa]|verdadeiro|falso|да|нет)$/iu

/** 1,234 may be a number above a thousand, or have three decimals. */
const AMBIGUOUS = /^[+-]?\d{1,3},\d{3}$/

const DECIMAL_COMMA = 'if the comma begins its decimals: --decimal-separator ,'
const THOUSANDS = `if it has thousands separators: ${AS_TEXT}`

/** The first that fits is named. None of the hints shows a value. */
const SPELLINGS: readonly Spelling[] = [
  { type: DECIMAL, value: AMBIGUOUS, hint: `${DECIMAL_COMMA}; ${THOUSANDS}` },
  {
    type: NUMBER,
    value: /^[+-]?\d{1,3}([,. '’]\d{3})+([.,]\d+)?$/,
    hint: THOUSANDS,
  },
  {
    type: DECIMAL,
    value: /^[+-]?\d+,\d+$/,
    hint: DECIMAL_COMMA,
  },
  { type: NUMBER, value: /\p{Sc}/u, hint: `it has the sign of a currency: ${AS_TEXT}` },
  { type: NUMBER, value: /%\s*$/, hint: `it has a percent sign: ${AS_TEXT}` },
  { type: NUMBER, value: /^[\d.,]+-$/, hint: `its minus comes last: ${AS_TEXT}` },
  {
    type: INTEGER,
    value: /^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i,
    hint: 'it has decimals or an exponent, which a numeric column takes',
  },
  {
    type: /^boolean/,
    value: WORDS,
    hint: 'a boolean is true, t, yes, y, on or 1, or false, f, no, n, off or 0',
  },
  {
    type: /^date\b/,
    value: /^\d{5}$/,
    hint: 'if Excel counts days so, give the column a date format there, and save it again',
  },
  {
    type: /^timestamp/,
    value: /^\d{9,11}(\.\d+)?$/,
    hint: 'if it counts seconds since 1970: load it into a numeric column; to_timestamp() converts it',
  },
  {
    type: /^timestamp/,
    value: /^\d{13}$/,
    hint:
      'if it counts milliseconds since 1970: load it into a numeric column; ' +
      'to_timestamp(x / 1000.0) converts it',
  },
]

/** A date whose first number may be the day. */
const DAY_OR_MONTH = /^\s*\d{1,2}\D\d{1,2}\D\d{2,4}\b/

/**
 * Returns the option that reads a value which the column's type does not take, or what else to do about it,
 * or an empty string. Options of CSV are named for CSV only.
 * @param column.type the column's type
 * @param column.isDayFirst dates are already read with the day first
 * @param column.isKept the load keeps or counts rejected rows already
 */
export function valueHint(
  { cause }: PgBatchError,
  args: ValueOptions,
  { type, isCsv, isDayFirst, isKept }: { type: string; isCsv: boolean; isDayFirst: boolean; isKept: boolean },
): string {
  if (!isServerError(cause)) return ''
  const [, value] = /: "([^"]*)"$/.exec(cause.message) ?? []
  const nullOption = isCsv ? nullHint(value, args) : ''
  if (nullOption) return nullOption
  const keeps = isKept ? '' : '; --rejects FILE keeps such rows'
  // the server says which setting may help; until PostgreSQL 17 in small letters
  const isDate = value === undefined || DAY_OR_MONTH.test(value)
  if (!isDayFirst && isDate && /\bDateStyle\b/i.test(cause.hint ?? '')) {
    return `; if its dates begin with the day, set PGDATESTYLE=DMY${keeps}`
  }
  const [, labels] = /^invalid input value for enum (.+?): "/.exec(cause.message) ?? []
  if (labels !== undefined) return `; its values: SELECT enum_range(NULL::${labels})${keeps}`
  const mayHaveComma = isCsv && args.decimalSeparator === undefined
  const found = SPELLINGS.find(
    spelling =>
      spelling.type.test(type) &&
      spelling.value.test(value ?? '') &&
      (mayHaveComma || !spelling.hint.startsWith(DECIMAL_COMMA)),
  )
  return found ? `; ${found.hint}${keeps}` : ''
}

/** Returns the option of CSV that makes the value NULL, if it looks as if there were none. */
function nullHint(value: string | undefined, { null: nulls = [''], forceNull }: ValueOptions): string {
  // an empty field in quotes is neither NULL nor a number
  if (value === '' && nulls.includes('') && !forceNull) {
    return '; it is empty and in quotes: --force-null makes it NULL'
  }
  if (value === undefined || !NO_VALUE.test(value) || nulls.includes(value)) return ''
  const words = [value, ...nulls].map(text => `--null ${shellWord(text)}`).join(' ')
  return `; if it means that there is no value: ${words}`
}

export type ValueOptions = Pick<LoadArguments, 'null' | 'forceNull' | 'decimalSeparator'>
