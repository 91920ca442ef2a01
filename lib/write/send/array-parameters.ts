import { quoteElement } from '../../encode/codecs/parameter.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { RowRef } from '../rows/row-sender.ts'
import type { RowShape } from '../rows/row-shapes.ts'
import { addParameters, type Parameters } from './parameters.ts'

/** The values of rows cannot travel in one statement: they are too long, or have no text. */
export class NotTogether extends Error {}

/**
 * Makes an array of each column's values, as text, and last an array of the numbers of the rows' shapes. A
 * parameter for each value would cost the server more than the rows themselves.
 * @param columns the names of the columns; a row that lacks one has NULL there
 * @throws NotTogether; RowError for a value that cannot be a parameter
 */
export function arrayParameters(
  refs: readonly RowRef[],
  columns: readonly string[],
  planned: readonly PlannedColumn[],
): Parameters {
  const arrays = columns.map(() => '')
  const shapes: number[] = []
  const layouts = new Map<RowShape, Layout>()
  const layoutFor = (shape: RowShape): Layout => {
    const layout = layouts.get(shape) ?? layoutOf(shape, columns, planned)
    layouts.set(shape, layout)
    return layout
  }
  const row: Parameters = { values: [], length: 0 }
  for (const { group, index } of refs) {
    const { present, positions } = layoutFor(group.shape)
    row.values.length = 0
    if (!addParameters(row, present, group, index)) throw new NotTogether()
    for (let column = 0; column < positions.length; column++) {
      const at = positions[column]!
      arrays[column] += at < 0 ? ',NULL' : `,${elementOf(row.values[at], present[at]!)}`
    }
    shapes.push(group.shape.number)
  }
  const values = [...arrays.map(array => `{${array.slice(1)}}`), `{${shapes.join(',')}}`]
  return { values, length: row.length }
}

interface Layout {
  readonly present: readonly PlannedColumn[]
  /** For each column the index of its value in a row; -1 where the row has none. */
  readonly positions: readonly number[]
}

function layoutOf(shape: RowShape, columns: readonly string[], planned: readonly PlannedColumn[]): Layout {
  const present = shape.columns.map(column => planned[column]!)
  return { present, positions: columns.map(name => present.findIndex(column => column.name === name)) }
}

/** Returns the text of a value in an array. */
function elementOf(value: unknown, { known }: PlannedColumn): string {
  if (value === null) return 'NULL'
  const text = typeof value === 'string' ? value : known!.codec.textOfBinary?.(value as Buffer)
  if (text === undefined) throw new NotTogether()
  return NEEDS_ESCAPES.test(text) ? quoteElement(text) : `"${text}"`
}

/** Few values have one of these; looking is cheaper than replacing. */
const NEEDS_ESCAPES = /[\\"]/
