import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { usageFailure } from './failure.ts'

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
    throw usageFailure('standard input ("-") cannot be one of several files')
  }
  const twice = files.find((file, index) => files.indexOf(file) < index)
  if (twice !== undefined) throw usageFailure(`${twice} is named twice, and would be loaded twice`)
  return files
}

/** For nearly all words this saves the time to load what knows for certain. */
const MAY_BE_PATTERN = /[*?[\]{}()!+@\\]/

async function matches(pattern: string): Promise<string[]> {
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return [pattern]
  const found = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) })
  if (found.length === 0) throw usageFailure(`${pattern}: no file matches`)
  return found.sort()
}
