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
  let line = 1
  for (let at = 0; at < text.length && records.length < MAX_RECORDS; ) {
    const { fields, malformed, end } = cutRecord(text, at, cut)
    if (end === undefined && !isWhole && records.length > 0) break
    const isComment = cut.comment !== undefined && text.startsWith(cut.comment, at)
    const isBlank = fields.length === 1 && fields[0]!.text === '' && !fields[0]!.quoted
    const next = isComment || malformed ? nextLine(text, at) : (end ?? text.length)
    if (!isComment && !isBlank) records.push({ line, fields, malformed })
    for (let i = at; i < next; i++) if (isLineEnd(text, i)) line++
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

function cutRecord(text: string, start: number, { delimiter, quote, escape: escapedBy }: Cut): CutRecord {
  const fields: SampledField[] = []
  let malformed = false
  for (let at = start; ; at++) {
    let field = ''
    const quoted = quote !== undefined && text[at] === quote
    if (quoted) {
      for (at++; at < text.length; at++) {
        const isEscape = text[at] === escapedBy && (text[at + 1] === quote || text[at + 1] === escapedBy)
        if (isEscape) at++
        else if (text[at] === quote) break
        field += text[at]
      }
      if (at >= text.length) return { fields, malformed: true, end: undefined }
      at++
    }
    const from = at
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
    const rest = text.slice(from, at)
    malformed ||= quoted ? rest !== '' : quote !== undefined && rest.includes(quote)
    fields.push({ text: field + rest, quoted })
    if (at >= text.length) return { fields, malformed, end: undefined }
    if (text[at] === delimiter) continue
    return { fields, malformed, end: text.startsWith('\r\n', at) ? at + 2 : at + 1 }
  }
}

function nextLine(text: string, from: number): number {
  for (let i = from; i < text.length; i++) if (isLineEnd(text, i)) return i + 1
  return text.length
}

/** Returns true for the last character of a line end: `\r\n`, `\n` or `\r`. */
function isLineEnd(text: string, at: number): boolean {
  return text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')
}
