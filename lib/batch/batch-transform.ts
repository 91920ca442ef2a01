import { AsyncResource } from 'node:async_hooks'
import { addAbortSignal, Transform } from 'node:stream'
import { BATCH_OPENS } from '../streams/batch-opens.ts'
import { asError, discard } from '../streams/discard.ts'
import { allowListeners } from '../streams/listener-limit.ts'
import type { BatchTransformEvents, BatchTrigger } from './batch-events.ts'
import { type BatchTransformOptions, resolveBatchOptions } from './batch-options.ts'
import { BatchPolicy } from './batch-policy.ts'
import { takeUnread, unwritten } from './stream-buffers.ts'
import { WaitTimer } from './wait-timer.ts'

/**
 * One closed batch is ready for downstream while the next one fills. Node's default of 16 would hold 16 whole
 * batches, for little: 1,000,000 objects in batches of 1000, to a consumer that answers by setImmediate, pass
 * at 26 million objects/s with 1, and at 27 million with 16.
 */
const READABLE_BATCHES = 1

/**
 * The number of single items that are accepted after a full batch has withheld its callback. While batches
 * leave freely the buffer is empty, because `_write` answers at once. Measured as above: 23 million objects/s
 * with 1, 26 with 16.
 */
const WRITABLE_ITEMS = 16

const NONE = Symbol('no item')

type WriteCallback = (error?: Error | null) => void

/**
 * Groups items into arrays. Every item that is written leaves in exactly one batch, in order, or is handed to
 * `onDiscard`. No batch is empty or exceeds `maxCount`; none exceeds `maxBytes`, except a batch of a single
 * larger item. No item waits longer than `maxWaitMs` in an unfinished batch while downstream is ready.
 *
 * While downstream is not ready, a batch that is due by time or by `flush()` keeps filling up to its caps,
 * and leaves whole when downstream asks. A full batch withholds its last write callback. So the stream holds
 * at most two batches and 16 items: a closed batch that waits to be read, the batch that fills, and the
 * writable buffer. It holds more only if the producer ignores that `write()` returned false.
 *
 * A write callback means that an item has joined a batch, 'finish' that the last batch has left, and 'end'
 * that it was read. `end()` sends the rest; `destroy()` discards what the stream holds.
 *
 * `onDiscard` gets a flat list, oldest first, of all items that were not handed downstream: those of a closed
 * batch that was not read, those of the current batch, an item that waits for the next batch (`sizeOf` may
 * have failed on it), and those in the writable buffer. A batch in the buffer of the next stream was handed
 * downstream, and is not included.
 *
 * @example pipeline(source, new BatchTransform({ maxCount: 5000 }), new PgBatchWritable({ pool, table }))
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts
 *   another
 */
/*
 * The current batch is one of:
 *   empty      no items, no timer
 *   filling    items, and a timer that has run since the first of them
 *   due        its time is up, or flush() was called, but downstream is not ready (#due): still filling
 *   full       due, and takes no more: it withholds the callback of its last item; or of an item that has no
 *              room (#held); or of _flush, if the input has ended
 * It leaves at once if downstream is ready (#ready), otherwise at the next _read, and is then empty.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only types inherited methods
export class BatchTransform<T = unknown> extends Transform {
  readonly #policy: BatchPolicy<T>
  readonly #timer: WaitTimer
  readonly #maxWaitMs: number
  readonly #onDiscard: ((items: T[]) => void) | undefined
  /** Downstream has room: from the start and after each _read, until push() returns false. */
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
    this.#maxWaitMs = resolved.maxWaitMs
    this.#timer = new WaitTimer(resolved.maxWaitMs, () => this.#close('wait'))
    // runs in the AsyncLocalStorage context in which the stream was made
    this.#onDiscard = resolved.onDiscard && AsyncResource.bind(resolved.onDiscard)
    // not an option of super(): a signal that is aborted already would destroy the stream before it has its
    // fields
    if (resolved.signal !== undefined) this.#destroyOnAbort(resolved.signal)
  }

  #destroyOnAbort(signal: AbortSignal): void {
    allowListeners(signal, 1)
    this.once('close', () => allowListeners(signal, -1))
    addAbortSignal(signal, this)
  }

  /**
   * Closes the current batch. It leaves at once, or, if downstream is not ready, when downstream asks for it.
   * Does nothing if the batch is empty. Items that are still in the writable buffer go into a later batch.
   */
  flush(): void {
    if (this.#policy.count > 0 && this.#due === undefined) this.#close('flush')
  }

  /**
   * Writes an item, as every Writable does. An item that only joins the open batch does so here, in a public
   * method, because Writable's own handling of buffers, callbacks and 'drain' costs a quarter of the time
   * that an object takes from source to batch (bench/transform).
   */
  // makes the class a stream to pipeline(), whose types know streams of strings and bytes; no item is `never`
  override write(item: never, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean
  override write(item: T, callback?: WriteCallback): boolean
  override write(item: T, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(item: T, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const isPlain = encoding === undefined && callback === undefined && item !== null
    // items in the buffer come first, and a stream that has ended rejects writes
    if (isPlain && this.#policy.staysOpen && this.writableLength === 0 && this.writable) {
      this.#policy.add(item, 0)
      return true
    }
    return super.write(item, encoding as BufferEncoding, callback)
  }

  // _write and not _transform: Transform's own _write makes two closures for each item
  override _write(item: T, _encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#policy.measures) this.#writeMeasured(item, callback)
    else this.#add(item, 0, callback)
  }

  override _read(): void {
    this.#ready = true
    if (this.#due === undefined) return
    this.#send(this.#due)
    // a listener may have written so much that the next batch is due already
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
    // answered, so that no producer waits forever, and in a later tick, when Node treats the write as
    // asynchronous
    if (this.#withheld !== undefined) process.nextTick(this.#withheld, error)
    this.#held = NONE
    this.#withheld = undefined
    this.#ended = undefined
    this.#due = undefined
    if (items.length > 0 && this.#onDiscard !== undefined) void discard(this.#onDiscard, items)
    callback(error)
  }

  /**
   * Holds the item while `sizeOf` runs, so that it is not lost if `sizeOf` throws or destroys this stream.
   */
  #writeMeasured(item: T, callback: WriteCallback): void {
    this.#held = item
    this.#withheld = callback
    try {
      this.#heldSize = this.#policy.measure(item)
    } catch (thrown) {
      // not callback(error), which would drop the writable buffer before _destroy sees it
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
    if (this.listenerCount(BATCH_OPENS) > 0) this.emit(BATCH_OPENS, this.#maxWaitMs)
  }

  /** Sends the batch and returns true if downstream is ready; otherwise the next _read sends it. */
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
 * The types of the events. The items of read() and iteration stay untyped, as in every Transform, because
 * pipeline() has types only for streams of strings, of bytes, and of any.
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
