import { isServerError } from '../../connection/server-error.ts'
import type { PgBatchError } from '../../errors.ts'
import { shellWord } from '../../sources/shell-word.ts'
import type { LoadArguments } from '../arguments/arguments.ts'

/** Texts by which other programs say that there is no value. A message may name them. */
const NO_VALUE = /^(null|nil|none|n\/?a|#n\/a|nan|unknown|\\n|0000-00-00( 00:00:00)?|[-.?]+)$/i

/**
 * Returns the option that reads a value which the column's type does not take, or an empty string.
 * @param isDayFirst dates are already read with the day first
 */
export function valueHint(
  { cause }: PgBatchError,
  { null: nulls = [''], forceNull }: Pick<LoadArguments, 'null' | 'forceNull'>,
  isDayFirst: boolean,
): string {
  if (!isServerError(cause)) return ''
  const [, value] = /: "([^"]*)"$/.exec(cause.message) ?? []
  // an empty field in quotes is neither NULL nor a number
  if (value === '' && nulls.includes('') && !forceNull) {
    return '; it is empty and in quotes: --force-null makes it NULL'
  }
  if (value !== undefined && NO_VALUE.test(value) && !nulls.includes(value)) {
    const words = [value, ...nulls].map(text => `--null ${shellWord(text)}`).join(' ')
    return `; if it means that there is no value: ${words}`
  }
  // the server says which setting may help; until PostgreSQL 17 in small letters
  if (!isDayFirst && /\bDateStyle\b/i.test(cause.hint ?? '')) {
    return '; if its dates begin with the day, set PGDATESTYLE=DMY; --rejects FILE keeps such rows'
  }
  return ''
}
