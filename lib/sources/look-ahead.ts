import type { Readable } from 'node:stream'

/**
 * Reads from a stream until `take` has seen enough, and puts back what was read; resolves to true at its end, where
 * nothing can be put back. It is put back, rather than yielded by a generator, because a generator that waits for a
 * silent pipe cannot be destroyed.
 * @param take reads what there is, and returns whether that is enough
 * @param putBack called at once, for a stream may end meanwhile
 */
export function lookAhead(source: Readable, take: () => boolean, putBack: () => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // neither would be told once more
    if (source.errored) throw source.errored
    if (source.readableEnded) return resolve(true)
    const onReadable = () => {
      if (!take()) return
      settle()
      putBack()
      resolve(false)
    }
    const onEnd = () => {
      settle()
      resolve(true)
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const settle = () => source.off('readable', onReadable).off('end', onEnd).off('error', onError)
    // between this and the next reader an error may come; it is kept, and told to whoever reads
    source.on('error', () => {})
    source.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
