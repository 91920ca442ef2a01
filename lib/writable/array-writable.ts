import { Writable } from 'node:stream'
import { types } from 'node:util'
import { kindOf } from '../values/kind-of.ts'
import { isBuiltIn } from '../write/rows/make-rows.ts'
import type { PgBatchWritableEvents } from './events.ts'

type WriteCallback = (error: Error | null | undefined) => void
type EndCallback = WriteCallback | (() => void)

/** What may be written: arrays of items, and of any objects where the type of an item says nothing. */
type WrittenItems<Item> = readonly (Record<string, unknown> extends Item ? Item | object : Item)[]

/** Node's Writable with the types of a stream of arrays, and of its events. Copies each array. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only types inherited methods
export abstract class ArrayWritable<Item> extends Writable {
  /**
   * Writes a copy of the array, so that the caller may empty it and fill it again at once. The items
   * themselves are not copied, and must not be changed before they are committed.
   */
  // makes the class a stream to pipeline(), whose types know streams of strings and bytes; no array is
  // `never`
  override write(items: never, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean
  override write(items: WrittenItems<Item>, callback?: WriteCallback): boolean
  override write(items: WrittenItems<Item>, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(items: unknown, ...rest: unknown[]): boolean {
    return super.write(copyOf(items), ...(rest as []))
  }

  /** Ends the stream, after a last array if one is given. Writes a copy of that array, as `write` does. */
  override end(callback?: EndCallback): this
  override end(items: never, encoding?: BufferEncoding | EndCallback, callback?: EndCallback): this
  override end(items: WrittenItems<Item>, callback?: EndCallback): this
  override end(items: WrittenItems<Item>, encoding: BufferEncoding, callback?: EndCallback): this
  override end(items?: unknown, ...rest: unknown[]): this {
    return super.end(copyOf(items), ...(rest as []))
  }
}

/** The types of the events; `declare` cannot give them to inherited methods. */
export interface ArrayWritable<Item> {
  on<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  on(...rest: Parameters<Writable['on']>): this
  once<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  once(...rest: Parameters<Writable['once']>): this
  off<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  off(...rest: Parameters<Writable['off']>): this
}

type Listener<Item, Name extends keyof PgBatchWritableEvents> = (
  ...args: PgBatchWritableEvents<Item>[Name]
) => void

/**
 * Returns a shallow copy of an array, its holes filled with undefined; anything else as it is, for `_write`
 * to reject.
 */
function copyOf(items: unknown): unknown {
  return Array.isArray(items) ? [...items] : items
}

/** Returns the error for anything else that is written. It names only its kind: a text would be rows. */
export function notAnArray(items: unknown): TypeError {
  const isNamed = typeof items === 'object' && items !== null && isBuiltIn(items)
  const kind = isNamed ? `a ${items.constructor.name}` : kindOf(items)
  const message = `Expected an array of items, got ${kind}: ${nextStep(items)}`
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

function nextStep(items: unknown): string {
  if (types.isPromise(items)) return 'await it'
  const isText = typeof items === 'string' || ArrayBuffer.isView(items)
  return `put ${isText ? 'a parser and ' : ''}a BatchTransform before PgBatchWritable`
}
