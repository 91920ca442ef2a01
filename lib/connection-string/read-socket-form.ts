import { readUrl } from './read-url.ts'
import type { Settings } from './settings.ts'

/**
 * Reads the two forms of a Unix socket that pg documents: `/run/postgresql shop`, and
 * `socket://user:password@/run/postgresql?db=shop`.
 * @see https://node-postgres.com/features/connecting#connection-uri
 */
export function readSocketForm(text: string, source: string): Settings {
  if (text.startsWith('/')) {
    const [host = '', dbname = ''] = text.split(' ')
    return new Map([['host', host], ...(dbname === '' ? [] : [['dbname', dbname] as const])])
  }
  const settings = new Map(readUrl(text.replace(/^socket:(?!\/\/)/, 'socket://'), source))
  const host = `/${settings.get('dbname') ?? ''}`
  settings.set('host', host)
  for (const [short, name] of [
    ['db', 'dbname'],
    ['encoding', 'client_encoding'],
  ] as const) {
    const value = settings.get(short)
    settings.delete(short)
    settings.delete(name)
    if (value !== undefined) settings.set(name, value)
  }
  return settings
}
