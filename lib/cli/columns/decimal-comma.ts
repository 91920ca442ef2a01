import type { SourceRow } from '../../sources/rows.ts'
import { withPoint } from '../../values/text/with-point.ts'
import { TypeMismatch } from './type-mismatch.ts'

/**
 * Converts the numbers of a row whose values are texts, in place. A value that is not one number with a comma
 * stays, so that a rejected row has it.
 * @param columns the numeric columns
 * @returns why the first such value is not taken
 */
export function putPoints(row: SourceRow, columns: ReadonlySet<string>): TypeMismatch | undefined {
  let mismatch: TypeMismatch | undefined
  for (const column of columns) {
    const value = row[column]
    if (typeof value !== 'string') continue
    const number = withPoint(value)
    if (number === undefined) mismatch ??= notOneComma(column)
    else row[column] = number
  }
  return mismatch
}

/** Returns the error for a number that could be read in two ways. */
export function notOneComma(column: string): TypeMismatch {
  const reason = `the value of "${column}" has a point, or two commas, and is no number with a decimal comma`
  const hint = 'remove what separates thousands'
  return new TypeMismatch('VALUE_NOT_ENCODABLE', reason, { column, hint })
}
