import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { usageError } from '../exit-error.ts'
import { fileKey } from './same-file.ts'

/**
 * Returns the files that the arguments name, in their order. The files of a pattern are sorted by name, as a
 * shell does. An argument that is the name of a file is that file, even if it has the characters of a
 * pattern.
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

/** Refuses a file that is named twice, also by `./a.csv` for `a.csv`, a symbolic link or a hard link. */
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

/**
 * Most names have none of these characters. For them the package that expands patterns need not be loaded.
 */
const MAY_BE_PATTERN = /[*?[\]{}()!+@\\]/

async function matches(pattern: string): Promise<string[]> {
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return [pattern]
  const found = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) })
  if (found.length === 0) throw usageError(`${pattern}: no file matches`)
  return found.sort()
}
