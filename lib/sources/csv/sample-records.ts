import type { Dialect } from './dialect.ts'

/** A field as it is in the file: without its quotes, and with escapes undone. */
export interface SampledField {
  readonly text: string
  readonly quoted: boolean
}

export interface SampledRecord {
  /** The line on which it begins, from 1. */
  readonly line: number
  readonly fields: readonly SampledField[]
  /** It has a quote inside an unquoted field, text after a closing quote, or a quoted field that never ends. */
  readonly malformed: boolean
}

type Cut = Pick<Dialect, 'delimiter' | 'quote' | 'escape' | 'comment'>

/** So many show what a file is like. */
const MAX_RECORDS = 1000

/**
 * Cuts the beginning of a CSV file into records by a dialect that may be wrong: nothing is an error. After a malformed
 * record it continues with the line after its first. Blank lines and comments are left out.
 * @param isWhole the text ends where the file does; else its last record may go on, and is left out unless it is the
 *   only one
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
  /** Where the next record begins; undefined: the text ends before this one does. */
  end: number | undefined
}

function cutRecord(text: string, start: number, { delimiter, quote, escape: escapeBy }: Cut): CutRecord {
  const fields: SampledField[] = []
  let malformed = false
  for (let at = start; ; at++) {
    let field = ''
    const quoted = quote !== undefined && text[at] === quote
    if (quoted) {
      for (at++; at < text.length; at++) {
        const isEscape = text[at] === escapeBy && (text[at + 1] === quote || text[at + 1] === escapeBy)
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

/** True for the last character of a line end, of which `\r\n` is one. */
function isLineEnd(text: string, at: number): boolean {
  return text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')
}
