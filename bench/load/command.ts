import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** The command as it is published. */
export interface BuiltCommand {
  readonly main: string
  remove(): Promise<void>
}

/** Builds `pg-batch` into a folder of its own, so that what lies in dist/ stays as it is. */
export async function buildCommand(): Promise<BuiltCommand> {
  // below node_modules, so that packages are found from it
  const cache = join(REPOSITORY, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'bench-load-'))
  await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'))
  const words = ['run', 'build:cli', '--', `--outdir=${join(folder, 'dist', 'cli')}`]
  await run('npm', words, { cwd: REPOSITORY, shell: process.platform === 'win32' })
  return { main: join(folder, 'dist', 'cli', 'main.js'), remove: () => rm(folder, { recursive: true }) }
}
