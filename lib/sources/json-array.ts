import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { getManyValues, isMany, none } from 'stream-chain/defs.js'
import { Assembler } from 'stream-json/assembler.js'
import { jsonParser, type Token } from 'stream-json/parser.js'
import { exactNumber } from '../exact-json.ts'
import { pushAll } from './push-all.ts'
import { isRow, kindOf, type SourceRow } from './rows.ts'
import { SourceError } from './source-error.ts'

/**
 * Bytes of one JSON array in, its elements out, one at a time: memory does not grow with the file. The
 * tokenizer is driven here rather than by stream-json's own stream, which passes token by token and takes twice
 * the time. Numbers keep every digit.
 */
export function readJsonArray(name: string): Transform {
  const decoder = new StringDecoder('utf8')
  const tokenize = jsonParser({ packValues: true, streamValues: false })
  const assembler = new ExactAssembler()
  let started = false
  let over = false
  let element = 0

  function* rowsOf(text: string | typeof none): Generator<SourceRow> {
    if (!started) started = beginsArray(text)
    for (const piece of piecesOf(text)) {
      for (const token of tokensOf(piece)) {
        assembler.consume(token)
        over = assembler.depth === 0
        if (assembler.depth === 1 && (assembler.current as unknown[]).length > 0) yield nextElement()
      }
    }
  }

  function tokensOf(text: string | typeof none): Token[] {
    try {
      const result: unknown = tokenize(text as string)
      return isMany(result) ? (getManyValues(result) as Token[]) : []
    } catch (error) {
      const where = over
        ? 'behind the array'
        : element === 0
          ? 'in its first element'
          : `after element ${element}`
      throw new SourceError(`${name}: not valid JSON ${where}, or cut off there`, { cause: error })
    }
  }

  function nextElement(): SourceRow {
    element++
    const value = (assembler.current as unknown[]).pop()
    if (!isRow(value)) {
      throw new SourceError(`${name}: element ${element} is ${kindOf(value)}, expected an object`)
    }
    return value
  }

  function beginsArray(text: string | typeof none): boolean {
    const first = text === none ? 'nothing' : text.trimStart()[0]
    if (first === undefined || first === '[') return first === '['
    const hint = first === '{' ? '; if each line is an object of its own, use the format ndjson' : ''
    throw new SourceError(`${name}: expected a JSON array of objects${hint}`)
  }

  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      pushAll(this, rowsOf(decoder.write(chunk)), done)
    },
    flush(done) {
      pushAll(this, rowsOf(none), done)
    },
  })
}

/**
 * Cuts behind each bracket: of a piece with a mistake in it the tokenizer gives no token at all, and so the elements in
 * front of the mistake are known, and yielded.
 */
function* piecesOf(text: string | typeof none): Generator<string | typeof none> {
  if (typeof text !== 'string') {
    yield none
    return
  }
  let from = 0
  for (const { index } of text.matchAll(/[\]}]/g)) {
    yield text.slice(from, index + 1)
    from = index + 1
  }
  if (from < text.length) yield text.slice(from)
}

class ExactAssembler extends Assembler {
  override numberValue(text: string): void {
    // the method that stores any value as it is; its type only knows strings
    this.stringValue(exactNumber(text) as unknown as string)
  }
}
