import { didYouMean } from '../../values/names/did-you-mean.ts'
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LINE_FEED,
  OPEN_BRACE,
  QUOTE,
  RETURN,
  SPACE,
  TAB,
} from '../../values/text/ascii.ts'
import { MAX_RECORD_BYTES } from '../rows.ts'
import { firstDocument } from './first-document.ts'
import { LineCounter } from './line-counter.ts'
import { type RecordPath, recordPathText } from './record-path.ts'
import { ValueEnd } from './value-end.ts'

/** A longer value beside the path is not parsed, but skipped as far as its brackets go. */
const MAX_CHECKED_LENGTH = 1024 * 1024

/** A list or an object on the way to the records. */
interface Container {
  readonly isList: boolean
  /** The keys of the path that lead to it. */
  readonly depth: number
  /** Its elements are records. */
  readonly hasRecords: boolean
  /** Its elements or members so far. */
  count: number
  /** The key of its member is the next one of the path. */
  isOnPath: boolean
  /** It has had that key. */
  wasOnPath: boolean
}

type Kind = 'record' | 'key' | 'skipped'

/**
 * Cuts JSON text into the texts of its records, which are parsed afterwards. The text is one document, or
 * several, one after the other. A document is a record or a list of records, or has them at a path of keys.
 * Lists on the path are read element by element. Only the record that is not complete is kept.
 *
 * A record of a list ends at a comma, whatever precedes the comma, so that a malformed one is cut off by
 * itself.
 *
 *     value ──{ or [ on the path──▶ value or key, one level deeper
 *     value ──end of the value──▶ after ──,──▶ value or key        after ──} or ]──▶ after, one level higher
 *     key ──string──▶ colon ──:──▶ value
 */
export class RecordCutter {
  readonly #path: readonly string[]
  readonly #beginning: string
  #lists: readonly RecordPath[] | undefined
  readonly #lines = new LineCounter()
  readonly #open: Container[] = []
  #next: 'value' | 'key' | 'colon' | 'after' = 'value'
  /** The value that is cut, its parts in earlier chunks, and their length. */
  #kind: Kind | undefined
  #parts: string[] = []
  #length = 0
  #end = new ValueEnd(undefined)
  /** The path has led to a record: it is not mistyped. */
  #isPathRight = false
  /** Why the value that is cut is not a record. */
  #misplaced: string | undefined

  /** The line on which the last record begins, or the value that is not complete. */
  line = 1
  /** Why the last text is not a record. Undefined for nearly every record. */
  fault: string | undefined
  isTooLong = false

  /** @param beginning the beginning of the text, whose lists of objects are named in messages */
  constructor(path: readonly string[], beginning = '') {
    this.#path = path
    this.#beginning = beginning
  }

  /** Yields the records that the text completes. @throws SyntaxError, after the records before the error */
  *cut(text: string): Generator<string> {
    let at = 0
    let start = 0
    this.#lines.add(text)
    while (at < text.length) {
      if (this.#kind === undefined) {
        const code = text.charCodeAt(at)
        if (isBlank(code)) {
          at++
          continue
        }
        start = at
        this.line = this.#lines.at(at)
        this.fault = undefined
        const record = this.#take(code)
        if (record !== undefined) yield record
        if (this.#kind === undefined) at++
        continue
      }
      at = this.#end.find(text, at)
      if (!this.#end.isFound) break
      const value = this.#whole(text.slice(start, at))
      start = at
      const record = this.#finish(value)
      if (record !== undefined) yield record
    }
    if (this.#kind !== undefined) this.#keep(text.slice(start))
  }

  /** The text of the record that is not complete. */
  get pending(): string {
    return this.#kind === 'record' && !this.#misplaced ? this.#parts.join('') : ''
  }

  /** Yields the last record. @throws SyntaxError if the text is not complete */
  *end(): Generator<string> {
    if (this.#kind !== undefined && this.#open.length === 0 && this.#end.mayEnd) {
      const record = this.#finish(this.#whole(''))
      if (record !== undefined) yield record
    }
    if (this.#kind !== undefined || this.#open.length > 0) throw new SyntaxError('the text is cut off')
  }

  /** Takes the first character of a value, or one between values. Returns a record that has no text. */
  #take(code: number): string | undefined {
    const inner = this.#open.at(-1)
    if (this.#next === 'value') return this.#takeValue(code, inner)
    if (this.#next === 'colon' && code === COLON) this.#next = 'value'
    else if (this.#next === 'key' && code === QUOTE) this.#begin('key', new ValueEnd(undefined))
    else if (this.#next === 'key' && code === CLOSE_BRACE && inner!.count === 0) return this.#leave()
    else if (this.#next === 'after' && code === COMMA) this.#next = inner!.isList ? 'value' : 'key'
    else if (this.#next === 'after' && code === closerOf(inner!)) return this.#leave()
    else throw new SyntaxError('another character was expected')
    return undefined
  }

  #takeValue(code: number, inner: Container | undefined): string | undefined {
    if (inner && (code === COMMA || code === closerOf(inner))) return this.#takeNothing(code, inner)
    if (inner) inner.count++
    const depth = inner ? inner.depth + (inner.isList ? 0 : 1) : 0
    const isBeside = inner !== undefined && !inner.isList && !inner.isOnPath
    const isRecord =
      !isBeside && (inner?.hasRecords || (depth === this.#path.length && !isOpen(code, 'list')))
    if (!isBeside && !isRecord && isOpen(code)) {
      this.#enter(code !== OPEN_BRACE, depth)
      return undefined
    }
    this.#isPathRight ||= isRecord
    if (!isBeside && !isRecord) this.#misplaced = this.#lacksKey(depth)
    this.#begin(isBeside ? 'skipped' : 'record', new ValueEnd(inner && closerOf(inner)))
    return undefined
  }

  /** A comma or a closing bracket in place of a value: an empty list, or an element without text. */
  #takeNothing(code: number, inner: Container): string | undefined {
    const isEmptyList = code === CLOSE_BRACKET && inner.count === 0
    if (isEmptyList) return this.#leave()
    if (!inner.hasRecords) throw new SyntaxError('a value was expected')
    inner.count++
    if (code === CLOSE_BRACKET) this.#leave()
    this.fault = 'is empty: there is a comma too many'
    return ''
  }

  #enter(isList: boolean, depth: number): void {
    const hasRecords = isList && depth === this.#path.length
    this.#open.push({ isList, depth, hasRecords, count: 0, isOnPath: false, wasOnPath: false })
    this.#next = isList ? 'value' : 'key'
  }

  /** Leaves a container. Returns the text of a record if it is an object without the key of the path. */
  #leave(): string | undefined {
    const { isList, wasOnPath, depth } = this.#open.pop()!
    this.#next = this.#open.length === 0 ? 'value' : 'after'
    if (isList || wasOnPath) return undefined
    this.fault = this.#lacksKey(depth)
    return ''
  }

  #lacksKey(depth: number): string {
    return `has no key "${this.#path[depth]}"${this.#isPathRight ? '' : this.#keyHint(depth)}`
  }

  /** Returns what the path may have meant in place of its key at `depth`, or an empty string. */
  #keyHint(depth: number): string {
    this.#lists ??= firstDocument(this.#beginning).lists
    const key = this.#path[depth]!
    const isBeside = (list: RecordPath) =>
      list.length > depth && this.#path.slice(0, depth).every((each, at) => each === list[at])
    const others = this.#lists.filter(isBeside).map(list => list[depth]!)
    if (others.includes(key)) return ''
    const near = didYouMean(key, [...new Set(others)])
    const [list] = this.#lists
    if (near !== '' || !list) return near
    if (list.length === 0) return '; it is in a list of objects: leave out --record-path if they are the rows'
    return `; its list of objects is "${recordPathText(list)}"`
  }

  #begin(kind: Kind, end: ValueEnd): void {
    this.#kind = kind
    this.#end = end
  }

  /** Takes a whole value. Returns it if it is a record. */
  #finish(value: string): string | undefined {
    const kind = this.#kind
    const inner = this.#open.at(-1)
    this.#kind = undefined
    this.#next = kind === 'key' ? 'colon' : inner ? 'after' : 'value'
    if (kind === 'key') this.#takeKey(JSON.parse(value), inner!)
    else if (kind === 'record') {
      this.fault = this.#misplaced
      this.#misplaced = undefined
      return value
    } else if (value.length <= MAX_CHECKED_LENGTH) JSON.parse(value)
    return undefined
  }

  #takeKey(key: string, inner: Container): void {
    inner.isOnPath = key === this.#path[inner.depth]
    if (inner.isOnPath && inner.wasOnPath) throw new SyntaxError('the key is repeated')
    inner.wasOnPath ||= inner.isOnPath
  }

  #keep(part: string): void {
    this.#length += part.length
    const isTooLong = this.#length > MAX_RECORD_BYTES
    if (this.#kind === 'skipped' && this.#length > MAX_CHECKED_LENGTH) this.#parts = []
    else this.#parts.push(part)
    if (!isTooLong || this.#kind === 'skipped') return
    this.isTooLong = true
    throw new SyntaxError('the record is too long')
  }

  /** Returns a whole value. Of one that was too long to be kept the text is not returned. */
  #whole(part: string): string {
    const isKept = this.#kind !== 'skipped' || this.#length <= MAX_CHECKED_LENGTH
    const value = this.#parts.length === 0 ? part : this.#parts.join('') + part
    this.#parts = []
    this.#length = 0
    return isKept ? value : 'null'
  }
}

function closerOf({ isList }: Container): number {
  return isList ? CLOSE_BRACKET : CLOSE_BRACE
}

/** Returns true for { and [, which differ by a bit. */
function isOpen(code: number, kind?: 'list'): boolean {
  return (code | 0x20) === OPEN_BRACE && (kind === undefined || code !== OPEN_BRACE)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === RETURN || code === TAB
}
