import { Readable } from 'node:stream'

/**
 * Returns what a function makes of the items of a stream of arrays or tables, one by one. These are read only
 * when the items are.
 * @param make an error that it throws ends the stream
 */
export function flatten<Item>(stream: Readable, make: (item: Item) => object): Readable {
  let started = false
  const pass = (batch: Iterable<Item>) => {
    let wanted = true
    for (const item of batch) {
      let made: object
      try {
        made = make(item)
      } catch (error) {
        flat.destroy(error as Error)
        return
      }
      wanted = flat.push(made)
    }
    if (!wanted) stream.pause()
  }
  const start = () => {
    stream.on('data', pass)
    stream.on('end', () => flat.push(null))
    stream.on('error', error => flat.destroy(error))
    if (stream.errored) flat.destroy(stream.errored)
    else stream.resume() // an earlier listener of 'readable' may have paused it
  }
  const flat = new Readable({
    objectMode: true,
    read() {
      if (started) stream.resume()
      else start()
      started = true
    },
    destroy(error, done) {
      stream.destroy(error ?? undefined)
      done(error)
    },
  })
  return flat.on('error', () => {}) // the stream keeps the error for its reader, which may not exist
}
