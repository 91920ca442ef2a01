import type { ItemTable } from '../../values/items/item-table.ts'

/**
 * Rows, and for each one the item of the batch that it was made from. In nearly every batch row 7 comes from
 * item 7: such a set stores no indexes at all.
 */
export class RowSet {
  /** Undefined: the rows are those of the table. */
  #made: object[] | undefined
  #table: ItemTable | undefined
  /** Undefined: the row at each index comes from the item at the same index. */
  #items: number[] | undefined

  /** @param rows one for each item; an array belongs to the set from now on */
  constructor(rows: object[] | ItemTable = [], items?: number[]) {
    if (Array.isArray(rows)) this.#made = rows
    else this.#table = rows
    this.#items = items
  }

  get length(): number {
    return this.#made?.length ?? this.#table!.length
  }

  /** The rows as a table, where they have not become objects. */
  get table(): ItemTable | undefined {
    return this.#table
  }

  at(index: number): object {
    return this.#made ? this.#made[index]! : this.#table!.at(index)
  }

  /** Returns the index, into the batch's items, of the item that the row at `index` comes from. */
  itemAt(index: number): number {
    return this.#items ? this.#items[index]! : index
  }

  /** Returns true when one of the rows comes from this item. */
  hasItem(item: number): boolean {
    return this.#items ? this.#items.includes(item) : item < this.length
  }

  /** Adds a row that comes from the item with this index. */
  add(row: object, item: number): void {
    const { length } = this
    if (!this.#items && item !== length) this.#items = Array.from({ length }, (_, index) => index)
    this.#items?.push(item)
    this.#rows.push(row)
  }

  /** Returns the rows for which `keep` is true; the set itself when that is all of them. */
  filter(keep: (row: object, item: number) => boolean): RowSet {
    const { length } = this
    let kept: RowSet | undefined
    for (let index = 0; index < length; index++) {
      const row = this.at(index)
      const item = this.itemAt(index)
      if (!keep(row, item)) kept ??= this.#first(index)
      else kept?.add(row, item)
    }
    return kept ?? this
  }

  /** Returns the rows by their key, in the order of the rows; those whose key is undefined are left out. */
  groupBy<Key>(keyOf: (row: object, item: number) => Key | undefined): Map<Key, RowSet> {
    const groups = new Map<Key, RowSet>()
    for (let index = 0; index < this.length; index++) {
      const row = this.at(index)
      const item = this.itemAt(index)
      const key = keyOf(row, item)
      if (key === undefined) continue
      let group = groups.get(key)
      if (!group) {
        group = new RowSet()
        groups.set(key, group)
      }
      group.add(row, item)
    }
    return groups
  }

  /** Returns what `make` makes of each row, for the same items. */
  map(make: (row: object, index: number) => object): RowSet {
    return new RowSet(this.#rows.map(make), this.#items?.slice())
  }

  some(test: (row: object) => boolean): boolean {
    return this.#rows.some(test)
  }

  slice(from: number, to: number): object[] {
    return this.#rows.slice(from, to)
  }

  /** Lists each row with the index of its item. */
  *[Symbol.iterator](): Generator<readonly [row: object, item: number]> {
    for (let index = 0; index < this.length; index++) yield [this.at(index), this.itemAt(index)]
  }

  /**
   * Returns an empty set that still knows the item of each row, so that the rows can be garbage-collected.
   */
  withoutRows(): RowSet {
    return new RowSet([], this.#items?.slice())
  }

  /** The rows as objects. */
  get #rows(): object[] {
    this.#made ??= [...this.#table!.all()]
    this.#table = undefined
    return this.#made
  }

  /** Drops the rows, so that they can be garbage-collected. The set still knows the item of each. */
  forget(): void {
    this.#made = []
    this.#table = undefined
  }

  #first(count: number): RowSet {
    return new RowSet(this.#rows.slice(0, count), this.#items?.slice(0, count))
  }
}
