import { pipeline, type Readable } from 'node:stream'

/**
 * Connects bytes to their reader. An error of any stream destroys the reader, which the caller's pipeline
 * ends with.
 */
export function connect<R extends NodeJS.ReadWriteStream & Readable>(bytes: Readable, reader: R): R {
  pipeline(bytes, reader, () => {})
  return reader
}
