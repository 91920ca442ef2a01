import { readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { listNames } from '../../values/names/list-names.ts'
import { nearest } from '../../values/names/nearest.ts'

/** Names of a folder that a message lists. */
const LISTED = 5

/** Returns what may have been meant by the name of a file that does not exist. */
export function missingFileHint(path: string): string {
  const folder = dirname(path)
  const names = namesIn(folder)
  if (!names) {
    const near = nearest(basename(folder), namesIn(dirname(folder)) ?? [])
    return `; there is no folder ${folder}${meant(near.map(name => join(dirname(folder), name)))}`
  }
  const name = basename(path)
  if (names.includes(name)) return '; it is a link, and what it leads to does not exist'
  const near = nearest(name, names)
  const longer = names.filter(other => other.startsWith(`${name}.`)).slice(0, LISTED)
  const hint = meant((near.length > 0 ? near : longer).map(other => join(folder, other)))
  return hint || `; the folder is ${resolve(folder)}`
}

/**
 * Returns what the folder has in which no file matches a pattern.
 * @param isPattern distinguishes patterns from names that only have characters of patterns, such as `a+b`
 */
export function noMatchHint(pattern: string, isPattern: (text: string) => boolean): string {
  const names = pattern.split('/')
  const matched = names.findIndex(name => isPattern(name) || OPEN.test(name))
  const fixed = names.slice(0, matched).map(name => `${name.replace(ESCAPED, '$1')}/`)
  const folder = fixed.join('') || '.'
  const found = namesIn(folder)?.filter(name => !name.startsWith('.'))
  if (!found) return `; there is no folder ${folder}`
  return `; ${resolve(folder)} has ${found.length > 0 ? listNames(found.sort(), LISTED) : 'no files'}`
}

/** A bracket or brace that is closed after a slash, as in `{a,b/c}`. */
const OPEN = /[{(][^})]*$/

/** A character of patterns that stands for itself. */
const ESCAPED = /\\([*?[\]{}()!+@\\])/g

function meant(paths: readonly string[]): string {
  return paths.length > 0 ? `; did you mean ${paths.join(' or ')}?` : ''
}

/** Returns undefined for a folder that cannot be read. */
function namesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder)
  } catch {
    return undefined
  }
}
