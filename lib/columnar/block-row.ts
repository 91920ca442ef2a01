import { type Block, valueAt } from './block.ts'

/** The block that a row is in. */
export const BLOCK = Symbol('block')
/** The index of a row in its block. */
export const INDEX = Symbol('index')
/** The number of a row in the input, from 1. */
export const NUMBER = Symbol('number')

/**
 * A row of a block: a place, and no values. A class below it has a getter for each column of the table, so
 * that everything that takes objects as rows takes these as well. Its own properties are symbols, because a
 * column may have any name.
 */
export class BlockRow {
  readonly [BLOCK]: Block
  readonly [INDEX]: number
  readonly [NUMBER]: number

  constructor(block: Block, index: number, number: number) {
    this[BLOCK] = block
    this[INDEX] = index
    this[NUMBER] = number
  }
}

/** A column of the table, and where its values come from. */
export interface BlockField {
  /** The name of the column. */
  readonly name: string
  /** The index of the file's column. */
  readonly source: number
  /** Converts a value of the file to one that the column takes. */
  readonly fit: (value: unknown) => unknown
}

/** How the columns of blocks become the columns of a table. */
export class BlockLayout {
  readonly fields: readonly BlockField[]
  /** The class of the rows. */
  readonly Row: new (
    block: Block,
    index: number,
    number: number,
  ) => BlockRow

  constructor(fields: readonly BlockField[]) {
    this.fields = fields
    this.Row = class extends BlockRow {}
    for (const field of fields) {
      Object.defineProperty(this.Row.prototype, field.name, {
        get(this: BlockRow) {
          return fittedAt(field, this)
        },
        enumerable: true,
      })
    }
  }
}

/** Returns the value of a row in a column, fitted to the column; null stays null. */
export function fittedAt(field: BlockField, row: BlockRow): unknown {
  const value = valueAt(row[BLOCK], field.source, row[INDEX])
  return value === null ? null : field.fit(value)
}
