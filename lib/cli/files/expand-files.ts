import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { usageError } from '../exit-error.ts'
import { noMatchHint } from './missing-file.ts'
import { type Parts, partsOfFolder, partsOfPattern } from './parts.ts'
import { fileKey } from './same-file.ts'

/** The files that are loaded, in their order. */
export interface InputFiles {
  readonly files: readonly string[]
  /** Names the files of folders and patterns that are skipped, a line for each folder and pattern. */
  readonly notes: readonly string[]
}

/**
 * Returns the files that the arguments name, in their order. The files of a folder or a pattern are sorted by
 * name. An argument that is the name of a file is that file, even if it has the characters of a pattern.
 */
export async function expandFiles(words: readonly string[]): Promise<InputFiles> {
  const files: string[] = []
  const notes: string[] = []
  for (const word of words) {
    const parts = await partsOf(word)
    for (const file of parts?.files ?? [word]) files.push(file)
    if (parts?.note !== undefined) notes.push(parts.note)
  }
  if (files.length > 1 && files.includes('-')) {
    throw usageError('standard input ("-") cannot be one of several files')
  }
  await refuseRepeats(files)
  return { files, notes }
}

/** Returns the files of a folder or a pattern, and undefined for another argument. */
async function partsOf(word: string): Promise<Parts | undefined> {
  if (word === '-') return undefined
  const status = statSync(word, { throwIfNoEntry: false })
  if (status) return status.isDirectory() ? partsOfFolder(word) : undefined
  if (!MAY_BE_PATTERN.test(word)) return undefined
  const found = await matches(word)
  return found && partsOfPattern(word, found)
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

/** Returns undefined for a text that is no pattern. */
async function matches(pattern: string): Promise<string[] | undefined> {
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return undefined
  const found = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) })
  if (found.length === 0)
    throw usageError(`${pattern}: no file matches${noMatchHint(pattern, isDynamicPattern)}`)
  return found
}
