import type { Dialect } from '../dialect.ts'

/** A field without its quotes and escapes. */
export interface SampledField {
  readonly text: string
  readonly quoted: boolean
}

export interface SampledRecord {
  /** The line on which the record starts, from 1. */
  readonly line: number
  readonly fields: readonly SampledField[]
  /**
   * The record has a quote inside an unquoted field, text after a closing quote, or a quoted field without an
   * end.
   */
  readonly malformed: boolean
}

type Cut = Pick<Dialect, 'delimiter' | 'quote' | 'escape' | 'comment'>

/** This many records are enough to detect a dialect. */
const MAX_RECORDS = 1000

/**
 * Splits the start of a CSV file into records, by a dialect that may be wrong. Nothing is an error: after a
 * malformed record it continues with the line after that record's first. Blank lines and comments are left
 * out.
 * @param isWhole the text is the whole file. If not, the last record may be incomplete, and is left out,
 *   unless it is the only one
 */
export function sampleRecords(text: string, cut: Cut, isWhole: boolean): SampledRecord[] {
  const records: SampledRecord[] = []
  const runs = runsOf(cut)
  let line = 1
  for (let at = 0; at < text.length && records.length < MAX_RECORDS; ) {
    const { fields, malformed, end } = cutRecord(text, at, cut, runs)
    if (end === undefined && !isWhole && records.length > 0) break
    const isComment = cut.comment !== undefined && text.startsWith(cut.comment, at)
    const isBlank = fields.length === 1 && fields[0]!.text === '' && !fields[0]!.quoted
    const next = isComment || malformed ? nextLine(text, at) : (end ?? text.length)
    if (!isComment && !isBlank) records.push({ line, fields, malformed })
    line += countLines(text.slice(at, next))
    at = next
  }
  return records
}

interface CutRecord {
  fields: SampledField[]
  malformed: boolean
  /** The index of the next record; undefined if the text ends before this record does. */
  end: number | undefined
}

/** Finds the ends of runs of characters without a meaning, much faster than a loop over them. */
interface Runs {
  readonly quoted: RegExp
  readonly unquoted: RegExp
}

function runsOf({ delimiter, quote = '', escape: escapedBy = '' }: Cut): Runs {
  return { quoted: untilOneOf(quote + escapedBy), unquoted: untilOneOf(`${delimiter}\r\n`) }
}

function untilOneOf(characters: string): RegExp {
  const codes = [...characters].map(one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return new RegExp(`[^${codes.join('')}]*`, 'y')
}

function endOfRun(run: RegExp, text: string, at: number): number {
  run.lastIndex = at
  run.test(text)
  return run.lastIndex
}

function cutRecord(text: string, start: number, cut: Cut, runs: Runs): CutRecord {
  const { delimiter, quote } = cut
  const fields: SampledField[] = []
  let malformed = false
  for (let at = start; ; at++) {
    let inQuotes = ''
    const quoted = quote !== undefined && text[at] === quote
    if (quoted) {
      const { field, end } = readQuoted(text, at + 1, cut, runs)
      if (end >= text.length) return { fields, malformed: true, end: undefined }
      inQuotes = field
      at = end + 1
    }
    const end = endOfRun(runs.unquoted, text, at)
    const rest = text.slice(at, end)
    at = end
    malformed ||= quoted ? rest !== '' : quote !== undefined && rest.includes(quote)
    fields.push({ text: inQuotes + rest, quoted })
    if (at >= text.length) return { fields, malformed, end: undefined }
    if (text[at] === delimiter) continue
    return { fields, malformed, end: text.startsWith('\r\n', at) ? at + 2 : at + 1 }
  }
}

/** Returns a field without its escapes, and the index of the closing quote or the text's end. */
function readQuoted(text: string, start: number, { quote, escape: escapedBy }: Cut, { quoted }: Runs) {
  let field = ''
  for (let at = start; ; at++) {
    const end = endOfRun(quoted, text, at)
    field += text.slice(at, end)
    if (end >= text.length) return { field, end }
    const isEscape = text[end] === escapedBy && (text[end + 1] === quote || text[end + 1] === escapedBy)
    if (!isEscape && text[end] === quote) return { field, end }
    at = isEscape ? end + 1 : end
    field += text[at]
  }
}

const LINE_END = /\r\n|\n|\r/g

function nextLine(text: string, from: number): number {
  LINE_END.lastIndex = from
  return LINE_END.test(text) ? LINE_END.lastIndex : text.length
}

function countLines(text: string): number {
  return text.match(LINE_END)?.length ?? 0
}
