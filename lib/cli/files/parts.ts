import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { shellWord } from '../../sources/shell-word.ts'
import { listNames } from '../../values/names/list-names.ts'
import { usageError } from '../exit-error.ts'
import { naturalOrder } from './natural-order.ts'

/** The files of a folder or a pattern. */
export interface Parts {
  readonly files: readonly string[]
  /** Names the files that are skipped; undefined if there are none. */
  readonly note: string | undefined
}

/**
 * Files that are no data: those that Hadoop and Spark make beside it, hidden ones, and those that Windows
 * leaves in folders.
 */
const NO_PART = /^([_.]|Thumbs\.db$|desktop\.ini$)/i

/** A folder of a partitioned table, as Hive and Spark write it: its name has a value of all its rows. */
const PARTITION = /^[^=]+=/

/**
 * Returns the files in a folder and in the folders in it, without hidden ones and markers (`_SUCCESS`).
 * @throws ExitError if it has folders such as `day=2026-01-05`: the files in them lack a column
 */
export async function partsOfFolder(folder: string): Promise<Parts> {
  const entries = await entriesOf(folder)
  return parts(
    folder,
    entries,
    file => NO_PART.test(basename(file)),
    file => relative(folder, file),
  )
}

/** Symbolic links to folders are not followed: they could lead in a circle. */
async function entriesOf(folder: string): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory() || NO_PART.test(entry.name)) paths.push(path)
    else if (PARTITION.test(entry.name)) throw usageError(partitionText(folder, entry.name))
    else for (const below of await entriesOf(path)) paths.push(below)
  }
  return paths
}

function partitionText(folder: string, name: string): string {
  const column = name.slice(0, name.indexOf('='))
  const pattern = shellWord(join(folder, '**', '*'))
  return (
    `${folder}: its folder ${name} says that ${column} has one value in all rows below it, and values of ` +
    `folder names are not loaded; to load the files without them, say ${pattern}`
  )
}

/** Returns the files that match a pattern, without markers such as `_SUCCESS`, unless it asks for them. */
export function partsOfPattern(pattern: string, matches: readonly string[]): Promise<Parts> {
  const isMarker = (path: string) => path.split('/').some(name => name.startsWith('_'))
  return parts(pattern, matches, isMarker(pattern) ? () => false : isMarker, basename)
}

async function parts(
  word: string,
  found: readonly string[],
  isMarker: (file: string) => boolean,
  nameOf: (file: string) => string,
): Promise<Parts> {
  const files: string[] = []
  const skipped: string[] = []
  for (const file of [...found].sort(naturalOrder)) {
    const why = isMarker(file) ? '' : await reasonToSkip(file)
    if (why === undefined) files.push(file)
    else skipped.push(`${nameOf(file)}${why}`)
  }
  const note = skipped.length === 0 ? undefined : `${word}: skipped ${listNames(skipped)}`
  if (files.length === 0) throw usageError(note ? `${note}; there is no other file` : `${word}: it is empty`)
  return { files, note }
}

async function reasonToSkip(file: string): Promise<string | undefined> {
  const status = await stat(file)
  if (!status.isFile()) return ' (not a file)'
  return status.size === 0 ? ' (empty)' : undefined
}
