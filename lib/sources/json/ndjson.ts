import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { pushAll } from '../push-all.ts'
import { isRow, kindOf, MAX_RECORD_BYTES, type SourceRow } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { parseJsonRow } from './json-row.ts'

/**
 * Reads NDJSON: bytes in, one object for each line out. Blank lines are skipped. Numbers keep their spelling.
 */
export function readNdjson(name: string): Transform {
  const decoder = new StringDecoder('utf8')
  let line = 0
  let rest = ''

  function* rowsOf(lines: readonly string[]): Generator<SourceRow> {
    for (const text of lines) {
      line++
      if (text.trim() !== '') yield parseLine(text, `${name}: line ${line}`)
    }
  }

  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      const lines = decoder.write(chunk).split('\n')
      lines[0] = rest + lines[0]
      rest = lines.pop() ?? ''
      if (rest.length > MAX_RECORD_BYTES) {
        done(new SourceError(`${name}: line ${line + lines.length + 1} is longer than 64 MiB; is it NDJSON?`))
        return
      }
      pushAll(this, rowsOf(lines), done)
    },
    flush(done) {
      pushAll(this, rowsOf([rest + decoder.end()]), done)
    },
  })
}

function parseLine(text: string, where: string): SourceRow {
  let value: unknown
  try {
    value = parseJsonRow(text)
  } catch {
    // the message of JSON.parse quotes the line
    throw new SourceError(`${where} is not valid JSON`)
  }
  if (!isRow(value)) throw new SourceError(`${where} is ${kindOf(value)}, expected an object`)
  return value
}
