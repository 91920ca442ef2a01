import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { malformedRow } from '../malformed.ts'
import { pushAll } from '../push-all.ts'
import { isRow, kindOf, type SourceRow } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { ElementCutter } from './element-cutter.ts'
import { parseJsonRow } from './json-row.ts'

/**
 * Reads one JSON array: bytes in, one element at a time out. Memory does not grow with the file. Numbers keep
 * their spelling, as in `readNdjson`.
 * @param keepsMalformed return a `malformedRow` for an element that is not a row, instead of failing
 */
export function readJsonArray(name: string, keepsMalformed = false): Transform {
  const decoder = new StringDecoder('utf8')
  const cutter = new ElementCutter()
  let element = 0
  /** A byte was seen that is not UTF-8, which the decoder makes U+FFFD. */
  let isSuspect = false

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
    if (isSuspect && json.includes('\ufffd')) {
      element++
      return malformedRow(json, `element ${element} is not valid UTF-8`)
    }
    let value: unknown
    try {
      value = parseJsonRow(json)
    } catch (error) {
      if (!keepsMalformed) throw error
      element++
      return malformedRow(json, `element ${element} is not valid JSON`)
    }
    element++
    if (isRow(value)) return value
    const fault = `element ${element} is ${kindOf(value)}, expected an object`
    if (keepsMalformed) return malformedRow(json, fault)
    throw new SourceError(`${name}: ${fault}`)
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
      isSuspect ||= keepsMalformed && !isUtf8(chunk)
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
