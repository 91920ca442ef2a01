import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { shellWord } from '../../sources/shell-word.ts'
import { listNames } from '../../values/list-names.ts'
import { usageError } from '../exit-error.ts'
import { naturalOrder } from './natural-order.ts'

/** The files of a folder or a pattern. */
export interface Parts {
  readonly files: readonly string[]
  /** Names the files that are skipped; undefined if there are none. */
  readonly note: string | undefined
}

/** Names that Hadoop and Spark give to files without rows, and that are hidden from `ls`. */
const NO_PART = /^[_.]/

/**
 * Returns the files in a folder, without hidden ones and markers such as `_SUCCESS`.
 * @throws ExitError if it has folders: they are not read, and their rows would be missing
 */
export async function partsOfFolder(folder: string): Promise<Parts> {
  const entries = await readdir(folder, { withFileTypes: true })
  const inner = entries.find(entry => entry.isDirectory() && !NO_PART.test(entry.name))
  if (inner) {
    const pattern = shellWord(join(folder, '**', '*'))
    throw usageError(
      `${folder}: it has the folder ${inner.name}; to load the files of all folders in it, say ${pattern}`,
    )
  }
  const names = entries.map(({ name }) => name)
  return parts(
    folder,
    names.map(name => join(folder, name)),
    file => NO_PART.test(basename(file)),
  )
}

/** Returns the files that match a pattern, without markers such as `_SUCCESS`, unless it asks for them. */
export function partsOfPattern(pattern: string, matches: readonly string[]): Promise<Parts> {
  const isMarker = (path: string) => path.split('/').some(name => name.startsWith('_'))
  return parts(pattern, matches, isMarker(pattern) ? () => false : isMarker)
}

async function parts(
  word: string,
  found: readonly string[],
  isMarker: (file: string) => boolean,
): Promise<Parts> {
  const files: string[] = []
  const skipped: string[] = []
  for (const file of [...found].sort(naturalOrder)) {
    const why = isMarker(file) ? '' : await reasonToSkip(file)
    if (why === undefined) files.push(file)
    else skipped.push(`${basename(file)}${why}`)
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
