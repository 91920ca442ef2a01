import { EventEmitter, getMaxListeners, setMaxListeners } from 'node:events'

/**
 * Makes room for `count` more listeners on something that many streams may share: Node takes more than ten of
 * a kind for a leak, and prints a warning. A negative count takes the room away again.
 */
export function allowListeners(target: object, count: number): void {
  // a signal of another realm, or a polyfill, has no limit that Node knows
  if (!(target instanceof EventEmitter || target instanceof EventTarget)) return
  const limit = getMaxListeners(target as EventEmitter)
  if (limit > 0) setMaxListeners(limit + count, target as EventEmitter) // 0: no limit
}
