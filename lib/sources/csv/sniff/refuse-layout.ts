import { FormatUnknown } from '../../source-error.ts'
import type { Sample } from './sniff-dialect.ts'

/** Fewer lines may have the same length by chance. */
const MIN_LINES = 5

/** The rule below the header of a table that psql, mysql or Markdown shows: `---+---`, `|---|:-:|`. */
const RULE = /^\s*[|+]?\s*:?-{3,}:?\s*([|+]\s*:?-{3,}:?\s*)*[|+]?\s*$/

/** The start of an object of JSON, or of a list of objects. */
const JSON_START = /^\s*(\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:/

/**
 * Throws for a text whose columns are laid out for the eye: of a fixed width, or a table as programs print
 * it. Otherwise each line would be a text. Throws for JSON, too, in a file whose name says CSV.
 * @throws FormatUnknown
 */
export function refuseLayout({ text, isWhole }: Sample, name: string): void {
  const all = text.split(/\r\n|\n|\r/)
  const lines = (isWhole ? all : all.slice(0, -1)).filter(line => line !== '')
  const [start = ''] = lines
  if (JSON_START.test(text)) {
    const format = isJson(start) ? 'ndjson' : 'json'
    throw new FormatUnknown(`${name}: it is JSON: --format ${format} reads it; ${AFTER_ALL}`)
  }
  if (isPrinted(lines)) {
    const programs = 'psql --csv, or mysql --batch, writes one that can be read'
    throw new FormatUnknown(`${name}: it is a table as a program shows it; ${programs}; ${AFTER_ALL}`)
  }
  if (isFixedWidth(lines)) {
    const convert = 'put delimiters between them first, for example with FIELDWIDTHS of gawk'
    const fault = 'its lines seem to have columns of a fixed width, which are not read here'
    throw new FormatUnknown(`${name}: ${fault}; ${convert}; if each line is one text: --delimiter '\\x01'`)
  }
}

const AFTER_ALL = "if it is CSV after all, name what is between its fields: --delimiter '|'"

function isJson(line: string): boolean {
  try {
    return !Array.isArray(JSON.parse(line))
  } catch {
    return false
  }
}

function isPrinted([first = '', second = '', third = '']: readonly string[]): boolean {
  if (first.includes('|') && RULE.test(second)) return true
  return /^\+(-+\+)+\s*$/.test(first) && second.startsWith('|') && RULE.test(third)
}

/** Returns true if all lines are equally long, with blanks in the same places, and runs of blanks. */
function isFixedWidth(lines: readonly string[]): boolean {
  const [first = ''] = lines
  if (lines.length < MIN_LINES || lines.some(line => line.length !== first.length)) return false
  // the values of a single column may all be the same
  if (/[,;|\t]/.test(first) || lines.every(line => line === first)) return false
  const isGap = (at: number) => lines.every(line => line[at] === ' ')
  const hasGap = Array.from({ length: first.length }, (_, at) => at).some(isGap)
  return hasGap && lines.filter(line => /\S {2,}\S/.test(line)).length * 2 >= lines.length
}
