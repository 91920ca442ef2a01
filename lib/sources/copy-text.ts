import { isUtf8 } from 'node:buffer'
import { type Readable, Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { pushAll } from './push-all.ts'
import { MAX_RECORD_BYTES, type SourceRow, setOwn } from './rows.ts'
import { SourceError } from './source-error.ts'

export interface CopyTextOptions {
  readonly delimiter: string
  /** The texts that mean NULL, as the file has them, with their backslashes. */
  readonly nulls: readonly string[]
  /** The first line names the columns. */
  readonly header: boolean
}

/** The line that ends the data, if there is one. */
const END_OF_DATA = '\\.'

/**
 * Reads COPY's text format: bytes in, one object for each line out. Every value is a string or null.
 * @param onHeader called before the first row comes
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */
export function readCopyText(
  name: string,
  { delimiter, nulls, header: hasHeader }: CopyTextOptions,
  onHeader: (header: readonly string[], rows: Readable) => void,
): Transform {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let lineNumber = 0
  let header: readonly string[] | undefined
  let returns: boolean | undefined
  let isOver = false

  const fault = (what: string) => new SourceError(`${name}: line ${lineNumber} ${what}`)

  function* take(text: string, last: boolean): Generator<SourceRow> {
    rest += text
    let from = 0
    let search = 0
    for (;;) {
      const end = rest.indexOf('\n', search)
      if (end < 0) break
      search = end + 1
      if (isEscaped(rest, from, end)) continue
      yield* lineOf(rest.slice(from, end))
      from = search
    }
    rest = rest.slice(from)
    if (rest.length > MAX_RECORD_BYTES) throw fault('is followed by one of more than 64 MiB')
    if (last && rest !== '') yield* lineOf(rest)
  }

  function* lineOf(text: string): Generator<SourceRow> {
    lineNumber++
    const ends = text.endsWith('\r') && !isEscaped(text, 0, text.length - 1)
    returns ??= ends
    const line = ends && returns ? text.slice(0, -1) : text
    if (/(?<!\\)\r/.test(line) || (returns && !ends && line !== END_OF_DATA)) throw fault(RETURN)
    if (isOver) throw fault(`follows "${END_OF_DATA}", which ends the data`)
    if (line === END_OF_DATA) {
      isOver = true
      return
    }
    const fields = split(line, delimiter)
    if (header === undefined) {
      const texts = fields.map(field => unescaped(field, fault))
      header = hasHeader ? uniqueNames(texts, fault) : fields.map((_, index) => `column${index + 1}`)
      onHeader(header, stream)
      if (hasHeader) return
    }
    if (fields.length !== header.length) {
      throw fault(`has ${fields.length} fields, the file has ${header.length} columns`)
    }
    const row: SourceRow = {}
    for (const [index, field] of fields.entries()) {
      setOwn(row, header[index]!, nulls.includes(field) ? null : unescaped(field, fault))
    }
    yield row
  }

  const stream = new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      pushAll(this, take(decoder.write(chunk), false), done)
    },
    flush(done) {
      pushAll(this, take(decoder.end(), true), done)
    },
  })
  return stream
}

const RETURN = 'has a carriage return that is neither \\r nor at the end of each line'

/** Returns true after an odd number of backslashes. */
function isEscaped(text: string, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes++
  return backslashes % 2 === 1
}

function split(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let from = 0
  for (let at = line.indexOf(delimiter); at >= 0; at = line.indexOf(delimiter, at + delimiter.length)) {
    if (isEscaped(line, from, at)) continue
    fields.push(line.slice(from, at))
    from = at + delimiter.length
  }
  return [...fields, line.slice(from)]
}

const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unescaped(field: string, fault: (what: string) => SourceError): string {
  if (!field.includes('\\')) return field
  const bytes: Buffer[] = []
  for (const [piece, octal, hex, other] of field.matchAll(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{1,2})|([\s\S]))|[^\\]+|\\$/g,
  )) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]))
    else if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]))
    else bytes.push(Buffer.from(other === undefined ? piece : (CONTROLS[other] ?? other)))
  }
  const whole = Buffer.concat(bytes)
  if (!isUtf8(whole)) throw fault('has escaped bytes that are not UTF-8')
  return whole.toString()
}

function uniqueNames(names: readonly string[], fault: (what: string) => SourceError): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw fault(`names the column "${twice}" twice`)
  return names
}
