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

/** Does the same for several lines. */
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

/** Leaves out the middle of a text that is too long to read, such as a message with a key of 5 MB. */
export function cut(text: string): string {
  const left = text.length - HEAD - TAIL
  if (left <= 0) return text
  return `${text.slice(0, HEAD)}… (${left} characters left out) …${text.slice(-TAIL)}`
}
