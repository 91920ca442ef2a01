import { quoteElement } from '../../../encode/codecs/parameter.ts'
import { binaryArray } from '../../../encode/objects/array-parameter.ts'
import type { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import type { MergeColumn } from '../../../table/merge/merge.ts'
import type { PlannedColumn } from '../../plan/planned-columns.ts'
import type { RowRef } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'
import { MAX_STATEMENT_LENGTH, type Parameters, parameterOf } from './parameters.ts'

/** The values of rows cannot travel in one statement: they are too long, or have no text. */
export class NotTogether extends Error {}

/**
 * Makes an array of each column's values. A parameter for each value would cost the server more than the rows
 * themselves. An array is binary where all its values have an exact binary form, and text otherwise.
 * @param columns a row that lacks one has NULL there
 * @param out memory for binary arrays; undefined where the driver takes text only
 * @throws NotTogether; RowError for a value that cannot be a parameter
 */
export function arrayParameters(
  refs: readonly RowRef[],
  columns: readonly MergeColumn[],
  planned: readonly PlannedColumn[],
  out: ByteBuffer | undefined,
): Parameters {
  const values: (string | Buffer)[] = []
  let length = 0
  for (const { name, elementOid } of columns) {
    const at = planned.findIndex(column => column.name === name)
    const column = planned[at]!
    const has = hasColumn(at)
    const binary = elementOid && out ? binaryOf(out, elementOid, refs, column, has) : undefined
    const array = binary ?? textOf(refs, column, has)
    length += array.length
    if (length > MAX_STATEMENT_LENGTH) throw new NotTogether()
    values.push(array)
  }
  return { values, length }
}

/** Returns an array of the numbers of the rows' shapes. */
export function shapeNumbers(refs: readonly RowRef[]): string {
  return `{${refs.map(({ group }) => group.shape.number).join(',')}}`
}

/** Returns whether rows of a shape have a column; most rows have the shape of the row before them. */
function hasColumn(column: number): (shape: RowShape) => boolean {
  let last: RowShape | undefined
  let has = false
  return shape => {
    if (shape !== last) {
      last = shape
      has = shape.columns.includes(column)
    }
    return has
  }
}

/** Returns undefined where a value has no exact binary form. */
function binaryOf(
  out: ByteBuffer,
  elementOid: number,
  refs: readonly RowRef[],
  { read, known }: PlannedColumn,
  has: (shape: RowShape) => boolean,
): Buffer | undefined {
  return binaryArray(out, elementOid, known!.codec, refs.length, index => {
    const { group, index: row } = refs[index]!
    return has(group.shape) ? read(group.rows.at(row)) : undefined
  })
}

function textOf(refs: readonly RowRef[], column: PlannedColumn, has: (shape: RowShape) => boolean): string {
  let array = ''
  for (const { group, index } of refs) {
    array += has(group.shape) ? `,${elementOf(parameterOf(column, group, index), column)}` : ',NULL'
    if (array.length > MAX_STATEMENT_LENGTH) throw new NotTogether()
  }
  return `{${array.slice(1)}}`
}

/** Returns the text of a value in an array. */
function elementOf(value: string | Buffer | null, { known }: PlannedColumn): string {
  if (value === null) return 'NULL'
  if (value.length > MAX_STATEMENT_LENGTH) throw new NotTogether()
  const text = typeof value === 'string' ? value : known!.codec.textOfBinary?.(value)
  if (text === undefined) throw new NotTogether()
  return NEEDS_ESCAPES.test(text) ? quoteElement(text) : `"${text}"`
}

/** Few values have one of these; looking is cheaper than replacing. */
const NEEDS_ESCAPES = /[\\"]/
