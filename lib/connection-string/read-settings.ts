import { readKeywords } from './read-keywords.ts'
import { readSocketForm } from './read-socket-form.ts'
import { readUrl } from './read-url.ts'
import type { Settings } from './settings.ts'
import { ConnectionStringError, EXAMPLE_URL, malformed } from './settings-error.ts'

/**
 * Reads a URL of one or several hosts, or `keyword=value` pairs, as libpq does, and the two forms of Unix sockets that
 * only pg knows.
 * @param source what to call the string in errors, which repeat no piece of it that could be the password's
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 * @throws ConnectionStringError
 */
export function readSettings(given: string, source: string): Settings {
  const text = given.trim() // a variable that was read from a file may end with a line end
  if (text === '') {
    throw new ConnectionStringError(
      `Expected ${source} to look like ${EXAMPLE_URL}, got nothing (an unset variable?)`,
    )
  }
  if (/^postgres(ql)?:\/*$/.test(text)) {
    throw new ConnectionStringError(
      `Expected ${source} to look like ${EXAMPLE_URL}, got no more than its beginning`,
    )
  }
  if (/^postgres(ql)?:\/\//.test(text)) return readUrl(text, source)
  if (/^(\/|socket:)/.test(text)) return readSocketForm(text, source)
  const scheme = /^(jdbc:postgresql|postgres(?:ql)?\+\w+):/.exec(text)?.[1]
  if (scheme) throw malformed(source, `, not to begin with ${scheme}:`)
  if (/^\s*\w+\s*=/.test(text)) return readKeywords(text, source)
  throw malformed(source)
}
