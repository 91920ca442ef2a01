import { allowListeners } from './listener-limit.ts'

/**
 * Calls `run` once when a signal aborts that has not aborted yet. Many listeners of one signal cause no
 * warning.
 * @returns a function that stops listening; calling it again does nothing
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  allowListeners(signal, 1)
  signal.addEventListener('abort', run, { once: true })
  let isListening = true
  return () => {
    if (!isListening) return
    isListening = false
    signal.removeEventListener('abort', run)
    allowListeners(signal, -1)
  }
}
