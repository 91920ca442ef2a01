import { InvalidArgumentError } from 'commander'
import { shellWord } from '../../sources/shell-word.ts'

/** Parsers of option values. Each throws the reason, which commander prints in one line. */

export function nameList(text: string): string[] {
  if (SQL.test(text)) {
    throw new InvalidArgumentError('Expected names with commas between, and not SQL, which is not run.')
  }
  const names = splitNames(text)
  if (names.includes(''))
    throw new InvalidArgumentError(
      `Expected names with commas between, in quotes if there are spaces: 'a, b'.`,
    )
  const twice = names.find((name, index) => name !== '-' && names.indexOf(name) < index)
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is named twice.`)
  return names
}

/** How a statement begins that users of psql give with `-c`. */
const SQL = /^\s*(\\copy|copy|select|insert|create|truncate|delete|update|alter|drop|begin)\s+[^,\s]/i

const NAME = /\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(,|$)/y

/** Splits names at commas. A name with a comma is written in quotes, as in CSV: `"a,b",c`. */
function splitNames(text: string): string[] {
  const names: string[] = []
  NAME.lastIndex = 0
  for (;;) {
    const [, quoted, plain = '', end] = NAME.exec(text)!
    names.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'))
    if (end === '') return names
  }
}

/** Returns names as one word of a shell command that `nameList` reads. */
export function nameListWord(names: readonly string[]): string {
  const isPlain = (name: string) => !/^\s|[",]|\s$/.test(name)
  return shellWord(names.map(name => (isPlain(name) ? name : `"${name.replaceAll('"', '""')}"`)).join(','))
}

export const positiveInteger = integer('a whole number, 1 or more', 999_999_999)

export function integerUpTo(max: number): (text: string) => number {
  return integer(`a whole number from 1 to ${max}`, max)
}

function integer(expected: string, max: number): (text: string) => number {
  return text => {
    if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > max)
      throw new InvalidArgumentError(`Expected ${expected}.`)
    return Number(text)
  }
}

export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  const parse = (text: string): Word => {
    const word = words.find(known => known === text.toLowerCase())
    if (word === undefined) throw new InvalidArgumentError(`Expected ${choiceOf(words)}.`)
    return word
  }
  return Object.assign(parse, { words }) // for the completions
}

function choiceOf(choices: readonly string[]): string {
  const words = choices.map(word => (/\w/.test(word) ? word : `"${word}"`))
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ')
}

/** Reads one character of ASCII, or `tab`. */
export function character(text: string): string {
  if (text === 'tab' || text === '\\t') return '\t'
  if (!/^[\x21-\x7e\t ]$/.test(text)) throw new InvalidArgumentError('Expected one character, or tab.')
  return text
}

/** Reads any characters except line ends and NUL: `||`, or `\\x01` and `\\t` for what is hard to type. */
export function delimiter(text: string): string {
  if (text === 'tab') return '\t'
  const plain = text.replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|([t\\]))/gi, (_, byte, unit, other) =>
    other === undefined
      ? String.fromCharCode(Number.parseInt(byte ?? unit, 16))
      : other === '\\'
        ? '\\'
        : '\t',
  )
  if (plain !== '' && !/[\0\r\n]/.test(plain)) return plain
  throw new InvalidArgumentError('Expected one or more characters, tab, or one such as \\x01.')
}

export function repeated(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text]
}
