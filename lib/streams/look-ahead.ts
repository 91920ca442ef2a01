import type { Readable } from 'node:stream'

/**
 * Reads from a stream until `take` has enough, and then lets `putBack` put back what was read. Resolves to
 * true at the end of the stream, where nothing can be put back. The alternative, a generator that yields what
 * was read, could not be destroyed while it waits for a silent pipe.
 * @param take reads what is available, and returns true if that is enough
 * @param putBack called synchronously, since the stream may end afterwards
 * @param onQuiet called when nothing has come for `quietMs`; returns true to stop with what was read
 */
export function lookAhead(
  source: Readable,
  take: () => boolean,
  putBack: () => void,
  { quietMs, onQuiet }: { quietMs: number; onQuiet: () => boolean } = { quietMs: 0, onQuiet: () => false },
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // neither event would be emitted again
    if (source.errored) throw source.errored
    if (source.readableEnded) return resolve(true)
    let timer: NodeJS.Timeout | undefined
    const stopHere = () => {
      settle()
      putBack()
      resolve(false)
    }
    const onReadable = () => {
      clearTimeout(timer)
      if (take()) stopHere()
      else if (quietMs > 0) timer = setTimeout(() => onQuiet() && stopHere(), quietMs)
    }
    const onEnd = () => {
      settle()
      resolve(true)
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const settle = () => {
      clearTimeout(timer)
      source.off('readable', onReadable).off('end', onEnd).off('error', onError)
    }
    // an error between this and the next reader must not end the process; the stream keeps it for that reader
    source.on('error', () => {})
    source.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
