import { AsyncResource } from 'node:async_hooks'
import { addAbortSignal, Transform } from 'node:stream'
import { asError, discard } from '../streams/discard.ts'
import { allowListeners } from '../streams/listener-limit.ts'
import type { BatchTransformEvents, BatchTrigger } from './batch-events.ts'
import { type BatchTransformOptions, resolveBatchOptions } from './batch-options.ts'
import { BatchPolicy } from './batch-policy.ts'
import { takeUnread, unwritten } from './stream-buffers.ts'
import { WaitTimer } from './wait-timer.ts'

/**
 * One closed batch ready for downstream while the next one fills. Node's default would be 16 whole batches, and
 * buys nothing: 1,000,000 objects in batches of 1000 to a consumer that answers by setImmediate pass at 26 million
 * objects/s with 1 and at 27 with 16.
 */
const READABLE_BATCHES = 1

/**
 * Single items, and none of them while batches leave freely, for `_write` answers at once. It only bounds what is
 * accepted after a full batch withheld its callback. Measured as above: 23 million objects/s with 1, 26 with 16.
 */
const WRITABLE_ITEMS = 16

const NONE = Symbol('no item')

type WriteCallback = (error?: Error | null) => void

// biome-ignore lint/suspicious/noExplicitAny: pipeline()'s types know only streams of strings, of bytes, and of anything
type Anything = any

/**
 * Groups items into arrays: every item written leaves in exactly one batch, in order, or is handed to
 * `onDiscard`; no batch is empty, exceeds `maxCount`, or, unless of a single item, `maxBytes`; and no item waits
 * longer than `maxWaitMs` in an unfinished batch while downstream is ready.
 *
 * While downstream is not ready, a batch whose time is up, or that `flush()` has asked for, keeps filling up to
 * its caps and leaves whole when downstream asks; a full one withholds its last write callback. So at most two
 * batches and 16 items are held: a closed batch that waits to be read, the one that fills, and the writable
 * buffer (of more, if the producer ignores that `write()` returned false).
 *
 * A write callback says that an item has joined a batch, 'finish' that the last batch has left, 'end' that it
 * was read. A stream is ended by `end()`, which sends the rest; to destroy it discards what it holds.
 *
 * `onDiscard` gets a flat list, oldest first, of all items that downstream has not been handed: those of a closed
 * batch that was not read, those of the current batch, an item that waits for the next one (it may be the one
 * that `sizeOf` failed on), and those in the writable buffer. A batch in the buffer of the next stream has been
 * handed over, and is not among them.
 *
 * @example pipeline(source, new BatchTransform({ maxCount: 5000 }), new PgBatchWritable({ pool, table }))
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts another
 */
/*
 * The batch is one of:
 *   empty      no timer, no item
 *   filling    it has items; the one timer runs since the first of them, and keeps the process alive till then
 *   due        the time is up, or flush() came, but downstream is not ready (#due, no timer): still filling
 *   full       due, and cannot take more: the callback of its last item, or of the one that it had no bytes
 *              left for (#held), is withheld; or the input has ended, and _flush's callback is
 * It leaves, and is empty again, at once when downstream is ready (#ready), else at the next _read.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface below only gives types to inherited methods
export class BatchTransform<T = unknown> extends Transform {
  readonly #policy: BatchPolicy<T>
  readonly #timer: WaitTimer
  readonly #onDiscard: ((items: T[]) => void) | undefined
  /** Downstream has room: from the start, or since _read, until push() says no. */
  #ready = true
  #due: BatchTrigger | undefined
  #held: T | typeof NONE = NONE
  #heldSize = 0
  #withheld: WriteCallback | undefined
  #ended: WriteCallback | undefined

  constructor(options?: BatchTransformOptions<T>) {
    const resolved = resolveBatchOptions(options)
    super({
      objectMode: true,
      readableHighWaterMark: READABLE_BATCHES,
      writableHighWaterMark: WRITABLE_ITEMS,
    })
    this.#policy = new BatchPolicy(resolved)
    this.#timer = new WaitTimer(resolved.maxWaitMs, () => this.#close('wait'))
    // It runs in the AsyncLocalStorage context in which the stream was made.
    this.#onDiscard = resolved.onDiscard && AsyncResource.bind(resolved.onDiscard)
    // Not an option of super(): an aborted signal would destroy the stream before it has its fields.
    if (resolved.signal !== undefined) this.#obey(resolved.signal)
  }

  #obey(signal: AbortSignal): void {
    allowListeners(signal, 1)
    this.once('close', () => allowListeners(signal, -1))
    addAbortSignal(signal, this)
  }

  /**
   * Closes the current batch now: it leaves at once, or, when downstream is not ready, at its next demand. Does
   * nothing when no item is held. Items that are still in the writable buffer, and come later, are not in it.
   */
  flush(): void {
    if (this.#policy.count > 0 && this.#due === undefined) this.#close('flush')
  }

  /**
   * As every Writable's. The one public method of a stream that is overridden, for what it is worth: an item that only
   * joins the open batch does so here, since the books that Writable keeps of a write, for buffers, callbacks and 'drain',
   * cost a quarter of what an object takes from source to batch (bench/transform).
   */
  override write(item: Anything, callback?: WriteCallback): boolean
  override write(item: Anything, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(item: T, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const isPlain = encoding === undefined && callback === undefined && item !== null
    // what is in the buffer, corked or waiting, comes first; and some writes are refused
    if (isPlain && this.#policy.staysOpen && this.writableLength === 0 && this.writable) {
      this.#policy.add(item, 0)
      return true
    }
    return super.write(item, encoding as BufferEncoding, callback)
  }

  // _write and not _transform: Transform's own _write makes two closures for each item.
  override _write(item: T, _encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#policy.measures) this.#writeMeasured(item, callback)
    else this.#add(item, 0, callback)
  }

  override _read(): void {
    this.#ready = true
    if (this.#due === undefined) return
    this.#send(this.#due)
    // A listener may have written so much that the next batch is due already.
    if (this.#due !== undefined) return
    if (this.#held !== NONE) {
      this.#admit()
    } else if (this.#withheld !== undefined) {
      const callback = this.#withheld
      this.#withheld = undefined
      callback()
    } else if (this.#ended !== undefined) {
      const callback = this.#ended
      this.#ended = undefined
      callback()
    }
  }

  override _flush(callback: WriteCallback): void {
    this.#timer.clear()
    if (this.#policy.count === 0 || (this.#due === undefined && this.#close('end'))) callback()
    else this.#ended = callback
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#timer.clear()
    const batches = takeUnread(this) as T[][]
    const items = [...batches.flat(1), ...this.#policy.take(0).items] as T[]
    if (this.#held !== NONE) items.push(this.#held)
    for (const item of unwritten(this)) items.push(item as T)
    // Answered, so that nobody waits for ever, and in a later tick, when Node counts the write as asynchronous.
    if (this.#withheld !== undefined) process.nextTick(this.#withheld, error)
    this.#held = NONE
    this.#withheld = undefined
    this.#ended = undefined
    this.#due = undefined
    if (items.length > 0 && this.#onDiscard !== undefined) void discard(this.#onDiscard, items)
    callback(error)
  }

  /** Holds the item while foreign code runs that may throw, or destroy this stream: it is not lost then. */
  #writeMeasured(item: T, callback: WriteCallback): void {
    this.#held = item
    this.#withheld = callback
    try {
      this.#heldSize = this.#policy.measure(item)
    } catch (thrown) {
      // Not callback(error): that would drop the writable buffer before _destroy sees it.
      this.destroy(asError(thrown))
      return
    }
    if (this.#policy.fits(this.#heldSize) || this.#close('bytes')) this.#admit()
  }

  /** Adds the held item, unless the stream was destroyed meanwhile. */
  #admit(): void {
    const item = this.#held
    const callback = this.#withheld
    if (item === NONE || callback === undefined) return
    this.#held = NONE
    this.#withheld = undefined
    this.#add(item, this.#heldSize, callback)
  }

  #add(item: T, size: number, callback: WriteCallback): void {
    const policy = this.#policy
    policy.add(item, size)
    const cap = policy.cap
    if (cap === undefined) {
      if (policy.count === 1) this.#open(policy)
      callback()
    } else if (this.#close(cap)) {
      callback()
    } else {
      if (policy.count === 1) policy.open(performance.now())
      this.#withheld = callback
    }
  }

  #open(policy: BatchPolicy<T>): void {
    const now = performance.now()
    policy.open(now)
    this.#timer.open()
  }

  /** Sends the batch if downstream is ready, else leaves it to the next _read; says which. */
  #close(trigger: BatchTrigger): boolean {
    this.#timer.close()
    if (this.#ready) {
      this.#send(trigger)
      return true
    }
    this.#due = trigger
    return false
  }

  #send(trigger: BatchTrigger): void {
    const isHeard = this.listenerCount('batch') > 0
    const { items, bytes, ageMs } = this.#policy.take(isHeard ? performance.now() : 0)
    this.#due = undefined
    this.#ready = this.push(items)
    if (isHeard) this.emit('batch', { count: items.length, bytes, trigger, ageMs })
  }
}

/**
 * The types of the events. What goes in and comes out by write(), read() and iteration stays untyped, as in every
 * Transform: the types of pipeline() know no streams but those of strings and bytes, and of anything.
 */
export interface BatchTransform<T> {
  on<Name extends keyof BatchTransformEvents<T>>(name: Name, listener: Listener<T, Name>): this
  on(...rest: Parameters<Transform['on']>): this
  once<Name extends keyof BatchTransformEvents<T>>(name: Name, listener: Listener<T, Name>): this
  once(...rest: Parameters<Transform['once']>): this
  off<Name extends keyof BatchTransformEvents<T>>(name: Name, listener: Listener<T, Name>): this
  off(...rest: Parameters<Transform['off']>): this
}

type Listener<T, Name extends keyof BatchTransformEvents<T>> = (
  ...args: BatchTransformEvents<T>[Name]
) => void
