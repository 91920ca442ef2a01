import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))

/** The command as it is published. */
export interface BuiltCommand {
  readonly main: string
  /** For XDG_CACHE_HOME: tests must not fill the user's cache. */
  readonly cache: string
  remove(): void
}

/** Builds `pg-batch` into a folder of its own, so that what lies in dist/ stays as it is. */
export function buildCommand(): BuiltCommand {
  // below node_modules, so that packages are found from it
  const cache = join(REPOSITORY, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'pg-batch-'))
  copyFileSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'))
  const words = ['run', 'build:cli', '--', `--outdir=${join(folder, 'dist', 'cli')}`]
  execFileSync('npm', words, { cwd: REPOSITORY, shell: process.platform === 'win32', stdio: 'pipe' })
  return {
    main: join(folder, 'dist', 'cli', 'main.js'),
    cache: join(folder, 'cache'),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
