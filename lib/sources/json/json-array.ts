import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { pushAll } from '../push-all.ts'
import { isRow, kindOf, type SourceRow } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { ElementCutter } from './element-cutter.ts'
import { parseJsonRow } from './json-row.ts'

/**
 * Reads one JSON array: bytes in, one element at a time out. Memory does not grow with the file. Numbers keep
 * their spelling, as in `readNdjson`.
 */
export function readJsonArray(name: string): Transform {
  const decoder = new StringDecoder('utf8')
  const cutter = new ElementCutter()
  let element = 0

  function* rowsOf(text: string): Generator<SourceRow> {
    try {
      for (const json of cutter.cut(text)) yield parseElement(json)
    } catch (error) {
      throw error instanceof SourceError ? error : failure(error)
    }
  }

  /** Yields the last element, if the array is cut off after it, and then throws. */
  function* lastRow(): Generator<SourceRow> {
    try {
      const { pending } = cutter
      if (isJson(pending)) yield parseElement(pending)
      cutter.end()
    } catch (error) {
      throw error instanceof SourceError ? error : failure(error)
    }
  }

  function parseElement(json: string): SourceRow {
    const value = parseJsonRow(json)
    element++
    if (isRow(value)) return value
    throw new SourceError(`${name}: element ${element} is ${kindOf(value)}, expected an object`)
  }

  function failure(error: unknown): SourceError {
    if (cutter.isTooLong) {
      return new SourceError(
        `${name}: element ${element + 1} is longer than 64 MiB; is it a JSON array of rows?`,
      )
    }
    const { wrongStart } = cutter
    if (wrongStart !== undefined) {
      const hint = wrongStart === '{' ? '; if each line is an object of its own, use the format ndjson' : ''
      return new SourceError(`${name}: expected a JSON array of objects${hint}`)
    }
    const where = cutter.isOver
      ? 'after the array'
      : element === 0
        ? 'in its first element'
        : `after element ${element}`
    return new SourceError(`${name}: not valid JSON ${where}, or cut off there`, { cause: error })
  }

  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      pushAll(this, rowsOf(decoder.write(chunk)), done)
    },
    flush(done) {
      pushAll(this, lastRow(), done)
    },
  })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
