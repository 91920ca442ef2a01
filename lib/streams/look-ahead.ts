import type { Readable } from 'node:stream'

/**
 * Reads from a stream until `take` has seen enough, and puts back what was read; resolves to true at its end, where
 * nothing can be put back. It is put back, rather than yielded by a generator, because a generator that waits for a
 * silent pipe cannot be destroyed.
 * @param take reads what there is, and returns whether that is enough
 * @param putBack called at once, for a stream may end meanwhile
 * @param onQuiet asked when nothing has come for `quietMs`: whether what was read has to do
 */
export function lookAhead(
  source: Readable,
  take: () => boolean,
  putBack: () => void,
  { quietMs, onQuiet }: { quietMs: number; onQuiet: () => boolean } = { quietMs: 0, onQuiet: () => false },
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // neither would be told once more
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
    // between this and the next reader an error may come; it is kept, and told to whoever reads
    source.on('error', () => {})
    source.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
