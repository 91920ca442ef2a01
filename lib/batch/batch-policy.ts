/** The cap that closes a batch. */
export type Cap = 'count' | 'bytes'

/** A closed batch: at least one item, and the sum of their sizes. */
export interface ClosedBatch<T> {
  readonly items: T[]
  readonly bytes: number
  readonly ageMs: number
}

/**
 * Decides when a batch is full. It has no clock, timer or stream: its owner measures an item, asks `fits`,
 * and calls `add` and `take`. The count never exceeds `maxCount`; the bytes exceed `maxBytes` only for a
 * single larger item.
 */
export class BatchPolicy<T> {
  /** True if items have sizes. If not, every size is 0 and every item fits. */
  readonly measures: boolean
  readonly #maxCount: number
  readonly #maxBytes: number
  readonly #sizeOf: ((item: T) => number) | undefined
  #items: T[] = NO_ITEMS
  #count = 0
  #bytes = 0
  #openedAt = Number.NaN

  constructor(limits: { maxCount: number; maxBytes: number; sizeOf: ((item: T) => number) | undefined }) {
    this.measures = limits.sizeOf !== undefined
    this.#maxCount = limits.maxCount
    this.#maxBytes = limits.maxBytes
    this.#sizeOf = limits.sizeOf
  }

  get count(): number {
    return this.#count
  }

  /** True if the next item neither opens nor closes the batch, and is not measured: it only joins. */
  get staysOpen(): boolean {
    return this.#count > 0 && this.#count + 1 < this.#maxCount && !this.measures
  }

  /** The cap that the batch has reached. Exactly `maxBytes` bytes have reached it. */
  get cap(): Cap | undefined {
    if (this.#count >= this.#maxCount) return 'count'
    return this.#bytes >= this.#maxBytes ? 'bytes' : undefined
  }

  /**
   * Returns the size of an item, without adding it.
   * @throws what `sizeOf` throws; a TypeError when it returns anything but a finite number ≥ 0
   */
  measure(item: T): number {
    const size: unknown = this.#sizeOf?.(item)
    if (typeof size === 'number' && size >= 0 && size < Number.POSITIVE_INFINITY) return size
    // only a number is shown: anything else may be the item itself
    const got =
      typeof size === 'number' ? `\`${size}\` (number)` : `(${size === null ? 'null' : typeof size})`
    throw Object.assign(new TypeError(`Expected \`sizeOf\` to return a finite number ≥ 0, got ${got}`), {
      code: 'ERR_INVALID_RETURN_VALUE' as const,
    })
  }

  /** Returns false if an item of this size has to wait for the next batch. An empty batch takes any item. */
  fits(size: number): boolean {
    return this.#count === 0 || this.#bytes + size <= this.#maxBytes
  }

  /**
   * Notes when the batch was opened. Separate from `add`, so that the clock is read once for each batch, and
   * not at all for a batch that leaves with its first item.
   */
  open(now: number): void {
    this.#openedAt = now
  }

  add(item: T, size: number): void {
    if (this.#count === 0) this.#items = [item]
    else this.#items.push(item)
    this.#count++
    this.#bytes += size
  }

  /** Returns the batch and starts an empty one. The age is 0 if `open` was not called. */
  take(now: number): ClosedBatch<T> {
    const batch = { items: this.#items, bytes: this.#bytes, ageMs: now - this.#openedAt || 0 }
    this.#items = NO_ITEMS
    this.#count = 0
    this.#bytes = 0
    this.#openedAt = Number.NaN
    return batch
  }
}

/**
 * The items of an empty batch. A new array starts with its first item, so that V8 allocates no room for more.
 */
const NO_ITEMS = Object.freeze<never[]>([]) as never[]
