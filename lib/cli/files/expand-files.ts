import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { usageError } from '../exit-error.ts'
import { fileKey } from './same-file.ts'

/**
 * The files that the words name, in their order; those of one pattern by name, as a shell sorts them. A word that is a
 * file is that file, whatever characters it has.
 */
export async function expandFiles(words: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const word of words) {
    if (word === '-' || existsSync(word) || !MAY_BE_PATTERN.test(word)) files.push(word)
    else files.push(...(await matches(word)))
  }
  if (files.length > 1 && files.includes('-')) {
    throw usageError('standard input ("-") cannot be one of several files')
  }
  await refuseRepeats(files)
  return files
}

/** Refuses one file by the same name or by another one: a symbolic or a hard link, `./a.csv` for `a.csv`. */
async function refuseRepeats(files: readonly string[]): Promise<void> {
  const nameOf = new Map<string, string>()
  for (const file of files) {
    const key = (await fileKey(file)) ?? file
    const before = nameOf.get(key)
    if (before !== undefined) {
      const other = before === file ? '' : ` (${before} is the same file)`
      throw usageError(`${file} is named twice${other}, and would be loaded twice`)
    }
    nameOf.set(key, file)
  }
}

/** For nearly all words this saves the time to load what knows for certain. */
const MAY_BE_PATTERN = /[*?[\]{}()!+@\\]/

async function matches(pattern: string): Promise<string[]> {
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return [pattern]
  const found = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) })
  if (found.length === 0) throw usageError(`${pattern}: no file matches`)
  return found.sort()
}
