/** Finds the tokens of text that is known to be valid JSON. It does not visit each character of a string. */

// importing these from ascii.ts would take 15 % more time, for the reason given there
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Returns the index after the string that starts at `start`. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = end
    while (text.charCodeAt(slashes - 1) === BACKSLASH) slashes--
    // after an even number of backslashes the quote is not escaped
    if ((end - slashes) % 2 === 0) return end + 1
  }
}

/** Returns the index after the value of any kind that starts at `start`. */
export function endOfValue(text: string, start: number): number {
  const code = text.charCodeAt(start)
  if (code === QUOTE) return endOfString(text, start)
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return endOfNested(text, start)
  let end = start + 1
  while (end < text.length && !isDelimiter(text.charCodeAt(end))) end++
  return end
}

function endOfNested(text: string, start: number): number {
  let depth = 0
  for (let at = start; ; ) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
      continue
    }
    at++
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at
  }
}

/** Returns the index of the first character from `start` on that is not white space, a comma or a colon. */
export function startOfToken(text: string, start: number): number {
  let at = start
  while (at < text.length && isBetween(text.charCodeAt(at))) at++
  return at
}

/** Returns the string whose token is `text.slice(start, end)`. */
export function stringOf(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inner
}

/** White space, a comma or a colon. */
function isBetween(code: number): boolean {
  return code <= SPACE || code === COMMA || code === COLON
}

function isDelimiter(code: number): boolean {
  return isBetween(code) || code === CLOSE_BRACKET || code === CLOSE_BRACE
}
