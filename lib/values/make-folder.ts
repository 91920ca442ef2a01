import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are missing. Returns the first one that it has made. `mkdir` with
 * `recursive` never returns below /proc: there a missing folder cannot be made though the one above it
 * exists, and Node.js tries again and again.
 */
export function makeFolder(folder: string, mode = 0o700): string | undefined {
  try {
    mkdirSync(folder, { mode })
    return folder
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return undefined
    const above = dirname(folder)
    if (code !== 'ENOENT' || above === folder) throw error
    const made = makeFolder(above, mode)
    mkdirSync(folder, { mode })
    return made ?? folder
  }
}
