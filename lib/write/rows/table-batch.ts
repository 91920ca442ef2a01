import type { ItemTable } from '../../values/items/item-table.ts'
import type { Batch, MadeRows, PreparedBatch } from './batch.ts'

/** A batch of the rows of a file. They become objects only if they are needed as items. */
export class TableBatch<Item extends object> implements Batch<Item> {
  readonly id: number
  readonly count: number
  made?: MadeRows | undefined
  prepared?: PreparedBatch | undefined
  #table: ItemTable<Item> | undefined
  #items: readonly Item[] | undefined

  constructor(id: number, table: ItemTable<Item>) {
    this.id = id
    this.count = table.length
    this.#table = table
  }

  get table(): ItemTable<Item> | undefined {
    return this.#table
  }

  get items(): readonly Item[] {
    return this.#items ?? this.#table!.all()
  }

  /** Sets what is left of the items. */
  set items(items: readonly Item[]) {
    this.#items = items
    this.#table = undefined
  }
}
