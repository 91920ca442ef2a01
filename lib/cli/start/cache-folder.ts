import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../values/make-folder.ts'

/**
 * Returns the folder where the command keeps its compiled code, and makes it. Undefined if the folder cannot
 * be made, is another user's, or a variable of Node.js switches the cache off.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string | undefined {
  // code from a cache has no counts of what ran
  if (env.NODE_DISABLE_COMPILE_CACHE || env.NODE_V8_COVERAGE) return undefined
  try {
    const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pg-batch')
    makeFolder(folder)
    return isOwn(folder) ? folder : undefined
  } catch {
    return undefined // the cache only saves time
  }
}

/**
 * Returns true if no other user can write to the folder. V8 runs what a cache holds, so that under sudo the
 * cache of the caller must not be used.
 */
function isOwn(folder: string): boolean {
  const user = process.getuid?.()
  if (user === undefined) return true // Windows: homes belong to their users
  const { uid, mode } = statSync(folder)
  return uid === user && (mode & 0o022) === 0
}
