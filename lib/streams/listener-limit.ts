import { EventEmitter, getMaxListeners, setMaxListeners } from 'node:events'

/**
 * Raises the listener limit of an object that many streams may share by `count`. A negative count lowers it
 * again. Without this Node.js would warn of a leak at more than ten listeners of one event.
 */
export function allowListeners(target: object, count: number): void {
  // a signal of another realm, or a polyfill, has no limit in Node.js
  if (!(target instanceof EventEmitter || target instanceof EventTarget)) return
  const limit = getMaxListeners(target as EventEmitter)
  if (limit > 0) setMaxListeners(limit + count, target as EventEmitter) // 0: no limit
}
