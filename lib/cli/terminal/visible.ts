/** Control characters and those that turn the direction of writing: a terminal obeys them. A tab does no harm. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' }

/** One line in which what a terminal would obey is written as an escape, such as `\x1b`: names and data come from others. */
export function visible(line: string): string {
  return line.replace(OBEYED, character => (character === '\t' ? character : escapeOf(character)))
}

/** The same for a text of several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

/** The lines of a statement, whose quoted names, with line ends in them, too, are shown as one line each. */
export function visibleSql(sql: string): string[] {
  return sql
    .replace(/"(?:[^"]|"")*"/g, visible)
    .split('\n')
    .map(visible)
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0)
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

/** JSON whose text is safe on a terminal: JSON.stringify leaves DEL, C1 and the turns of direction as they are. */
export function visibleJson(value: object): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'string' ? cut(part) : part))
  return text.replace(OBEYED, character => `\\u${hex(character.charCodeAt(0), 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

/** Characters of a message that are shown; who it is for is told by its beginning, and what to do by its end. */
const HEAD = 1500
const TAIL = 500

/** Leaves out the middle of a text that is too long to be read, such as a message that names a key of 5 MB. */
export function cut(text: string): string {
  const left = text.length - HEAD - TAIL
  if (left <= 0) return text
  return `${text.slice(0, HEAD)}… (${left} characters left out) …${text.slice(-TAIL)}`
}
