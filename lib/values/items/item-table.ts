/**
 * Items that become objects only when they are asked for, because the objects cost a tenth of the CPU of a
 * load.
 */
export abstract class ItemTable<Item extends object = object> implements Iterable<Item> {
  abstract readonly length: number
  #items: readonly Item[] | undefined

  at(index: number): Item {
    return this.#items?.[index] ?? this.itemAt(index)
  }

  /** Returns all items, which are the same objects every time. */
  all(): readonly Item[] {
    this.#items ??= [...this.each()]
    return this.#items
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#items ? this.#items[Symbol.iterator]() : this.each()
  }

  /** Returns a part of the items as a table, without copying anything. */
  abstract slice(from: number, to?: number): ItemTable<Item>

  /** Called when nothing needs the items any more. */
  release(): void {}

  /** Makes the object of an item. */
  protected abstract itemAt(index: number): Item

  protected abstract each(): Iterator<Item> & Iterable<Item>

  /** Drops the objects. */
  protected forgetItems(): void {
    this.#items = undefined
  }
}
