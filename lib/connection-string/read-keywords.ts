import type { Settings } from './settings.ts'
import { ConnectionStringError } from './settings-error.ts'

/**
 * Reads `host=a,b port=5432 dbname='my shop'`. A backslash escapes the next character, inside quotes and
 * outside.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
 */
export function readKeywords(text: string, source: string): Settings {
  const settings = new Map<string, string>()
  const pair =
    /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'(?=\s|$)|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?(?=\s|$))\s*/sy
  while (pair.lastIndex < text.length) {
    const position = pair.lastIndex
    const match = pair.exec(text)
    if (!match) {
      throw new ConnectionStringError(
        `Expected ${source} to be a list of keyword=value pairs, got something else at character ` +
          `${position + 1}; ` +
          "write a value with spaces or quotes as 'it\\'s this'",
      )
    }
    const [, name = '', quoted, plain = ''] = match
    const value = (quoted ?? plain).replace(/\\(.)/gs, '$1')
    if (settings.has(name) && settings.get(name) !== value) {
      throw new ConnectionStringError(`Expected ${source} to name ${name} once, got it twice`)
    }
    settings.set(name, value)
  }
  return settings
}
