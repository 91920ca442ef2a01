import { formatCount } from '../../values/format-count.ts'
import { glyphs } from './glyphs.ts'

/**
 * Characters that a terminal obeys: control characters, and those that change the writing direction. A tab is
 * harmless.
 */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' }

/**
 * Replaces characters that a terminal obeys by escapes such as `\x1b`. Names and data come from other people.
 */
export function visible(line: string): string {
  return line.replace(OBEYED, character => (character === '\t' ? character : escapeOf(character)))
}

/** Replaces such characters in a text of several lines, and keeps its line ends. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

/** Returns the lines of a statement. A quoted name with line ends is shown on one line. */
export function visibleSql(sql: string): string[] {
  return sql
    .replace(/"(?:[^"]|"")*"/g, visible)
    .split('\n')
    .map(visible)
}

/** The lines of a statement that are shown before a load: a table may have 1,600 columns. */
const FIRST_LINES = 20

/** Returns the first lines of a statement, and its last one. `--dry-run` shows all of them. */
export function shortSql(sql: string): string[] {
  const lines = visibleSql(sql)
  const left = lines.length - FIRST_LINES - 1
  if (left <= 1) return lines
  const note = `  ${glyphs.ellipsis} ${formatCount(left)} more lines, which --dry-run shows`
  return [...lines.slice(0, FIRST_LINES), note, lines.at(-1)!]
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0)
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

/**
 * Returns JSON that is safe on a terminal. JSON.stringify leaves DEL, C1 and the direction characters as they
 * are.
 */
export function visibleJson(value: object): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'string' ? cut(part) : part))
  return text.replace(OBEYED, character => `\\u${hex(character.charCodeAt(0), 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

/**
 * The characters of a message that are shown. Its beginning says what it is about, and its end what to do.
 */
const HEAD = 1500
const TAIL = 500

/** Returns the beginning of a text that is longer than `length`. */
export function shortened(text: string, length: number): string {
  const { ellipsis } = glyphs
  return text.length <= length ? text : `${text.slice(0, length - ellipsis.length)}${ellipsis}`
}

/** Leaves out the middle of a text that is too long to read, such as a message with a key of 5 MB. */
export function cut(text: string): string {
  const left = text.length - HEAD - TAIL
  if (left <= 0) return text
  const { ellipsis } = glyphs
  return `${text.slice(0, HEAD)}${ellipsis} (${left} characters left out) ${ellipsis}${text.slice(-TAIL)}`
}
