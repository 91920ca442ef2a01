import { readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

interface Link {
  readonly source: string
  readonly target: string
}

/**
 * Makes the links to shared libraries that the install script of the binaries makes, where they are missing.
 * npm does not run that script with `ignore-scripts`, or without the user's consent, and the server does not
 * start without these links.
 * @param home the folder of the package that has the binaries
 */
export async function linkLibraries(home: string): Promise<void> {
  for (const { source, target } of await listedLinks(home)) {
    // it is there, or the folder is another user's: then the server reports the library that it misses
    await symlink(relative(dirname(target), source), join(home, target)).catch(() => {})
  }
}

/** Returns the links that the package lists, with paths below it. Packages without libraries list none. */
async function listedLinks(home: string): Promise<readonly Link[]> {
  try {
    return JSON.parse(await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8'))
  } catch {
    return []
  }
}
