import { readKeywords } from './read-keywords.ts'
import { readSocketForm } from './read-socket-form.ts'
import { readUrl } from './read-url.ts'
import type { Settings } from './settings.ts'
import { unlike } from './settings-error.ts'

/** What URLs of other tools and of other databases begin with. No password does. */
const OTHER_SCHEME =
  /^(jdbc:\w+|postgres(?:ql)?\+\w+|mysqlx?|mariadb|sqlite3?|sqlserver|mssql|mongodb(?:\+srv)?|https?):/i

/**
 * Reads a URL with one or several hosts, or `keyword=value` pairs, as libpq does. Also reads pg's two forms
 * for Unix sockets.
 * @param source what messages call the string; they repeat no part of it that may belong to the password
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 * @throws ConnectionStringError
 */
export function readSettings(original: string, source: string): Settings {
  const text = original.trim() // a variable that was read from a file may end with a line end
  if (text === '') throw unlike(source, ', got nothing (an unset variable?)')
  if (/^postgres(ql)?:\/*$/.test(text)) throw unlike(source, ', got only its beginning')
  if (/^postgres(ql)?:\/\//.test(text)) return readUrl(text, source)
  if (/^(\/|socket:)/.test(text)) return readSocketForm(text, source)
  const scheme = OTHER_SCHEME.exec(text)?.[1]
  if (scheme) throw unlike(source, `, not to begin with ${scheme}:`)
  if (/^(['"]).*\1$/.test(text)) throw unlike(source, ', without quotes around it')
  if (/^\s*\w+\s*=/.test(text)) return readKeywords(text, source)
  if (/^[\w-]+$/.test(text)) throw unlike(source, '; to name the database alone, write postgres:///NAME')
  if (/^\$\{?\w+\}?$/.test(text))
    throw unlike(source, ', got the name of a variable (single quotes around it?)')
  throw unlike(source, ', with postgres:// at its beginning')
}
