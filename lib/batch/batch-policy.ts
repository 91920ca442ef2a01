/** Which cap closes a batch. */
export type Cap = 'count' | 'bytes'

/** A closed batch: at least one item, and the sum of their sizes. */
export interface ClosedBatch<T> {
  readonly items: T[]
  readonly bytes: number
  readonly ageMs: number
}

/**
 * When a batch is full, without a clock, a timer or a stream: its owner measures, asks `fits`, adds, and takes.
 * The count is never above `maxCount`, and the bytes only when a single item is larger than `maxBytes`.
 */
export class BatchPolicy<T> {
  /** Whether items have sizes; if not, `fits` need not be asked and every size is 0. */
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

  /** An item that is not measured neither opens nor closes the batch: it joins it, and that is all. */
  get staysOpen(): boolean {
    return this.#count > 0 && this.#count + 1 < this.#maxCount && !this.measures
  }

  /** The cap that the batch has reached; bytes at exactly `maxBytes` have. */
  get cap(): Cap | undefined {
    if (this.#count >= this.#maxCount) return 'count'
    return this.#bytes >= this.#maxBytes ? 'bytes' : undefined
  }

  /**
   * The size of an item, which is not added by this.
   * @throws what `sizeOf` throws; a TypeError when it returns anything but a finite number ≥ 0
   */
  measure(item: T): number {
    const size: unknown = this.#sizeOf?.(item)
    if (typeof size === 'number' && size >= 0 && size < Number.POSITIVE_INFINITY) return size
    // Only a number is shown: anything else may be the item itself.
    const got =
      typeof size === 'number' ? `\`${size}\` (number)` : `(${size === null ? 'null' : typeof size})`
    throw Object.assign(new TypeError(`Expected \`sizeOf\` to return a finite number ≥ 0, got ${got}`), {
      code: 'ERR_INVALID_RETURN_VALUE' as const,
    })
  }

  /** False when the item must wait for the next batch, so that `maxBytes` holds. An empty batch takes any item. */
  fits(size: number): boolean {
    return this.#count === 0 || this.#bytes + size <= this.#maxBytes
  }

  /**
   * Starts the clock of a batch. Apart from `add`, so that the clock is read once for a batch, and not at all for
   * one that leaves with its first item.
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

  /** Hands the batch over and begins an empty one. The age of a batch whose clock was not started is 0. */
  take(now: number): ClosedBatch<T> {
    const batch = { items: this.#items, bytes: this.#bytes, ageMs: now - this.#openedAt || 0 }
    this.#items = NO_ITEMS
    this.#count = 0
    this.#bytes = 0
    this.#openedAt = Number.NaN
    return batch
  }
}

/** What an empty batch has. A new array begins with its first item, so that one of a single item is no larger. */
const NO_ITEMS = Object.freeze<never[]>([]) as never[]
