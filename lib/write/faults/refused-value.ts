import type { ServerError } from '../../connection/server-error.ts'

/**
 * Returns what is wrong with a value, without the value: `not a valid boolean for "ok" (22P02)`. Returns
 * undefined for other conditions.
 * @param column the value's column
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function refusedValueText({ code, message }: ServerError, column: string): string | undefined {
  const type = typeIn(message)
  const name = JSON.stringify(column)
  const ofType = type === undefined ? '' : ` of type ${type}`
  switch (code) {
    case '22P02': // invalid_text_representation
    case '22007': // invalid_datetime_format
      return `not a valid ${type ?? (IS_ARRAY.test(message) ? 'array' : 'value')} for ${name} (${code})`
    case '22003': // numeric_value_out_of_range
    case '22008': // datetime_field_overflow
      return `out of range for ${name}${ofType} (${code})`
    case '22001': // string_data_right_truncation
      return `too long for ${name}${ofType} (${code})`
    case '22021': // character_not_in_repertoire
      return message.endsWith(' 0x00')
        ? `a text with U+0000, which no type holds, for ${name} (${code})`
        : undefined
    default:
      return undefined
  }
}

/**
 * The messages that name a type, each at a place where no value can be. A translated message matches none.
 */
const TYPE_PATTERNS = [
  /^invalid input syntax for type ([a-z0-9 ]+)(?::|$)/,
  /^invalid input value for enum ([^":]+):/,
  /^value too long for type ([a-z ]+\(\d+\))$/,
  /^value ".*" is out of range for type ([a-z0-9 ]+)$/s,
  /^".*" is out of range for type ([a-z0-9 ]+)$/s,
  /^([a-z0-9]+) out of range(?::|$)/,
]

/** An array literal that cannot be read: the server names no type. */
const IS_ARRAY = /^malformed array literal: /

function typeIn(message: string): string | undefined {
  for (const pattern of TYPE_PATTERNS) {
    const match = pattern.exec(message)
    if (match) return match[1]
  }
  return undefined
}
