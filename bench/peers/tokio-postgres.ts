import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TableName } from '../support/tables/index.ts'

const run = promisify(execFile)

const MANIFEST = fileURLToPath(new URL('./tokio-postgres/Cargo.toml', import.meta.url))

/** The table whose rows the program has as a struct. */
const TABLE: TableName = 'mixed'

/** The program in Rust that writes by tokio-postgres; without `path`: why it is left out. */
export interface TokioPostgres {
  /** What the results show: the version, or why it is left out. */
  readonly about: string
  readonly path?: string
}

export interface TokioPostgresOptions {
  readonly table: TableName
  readonly quick: boolean
  /** Takes the compiler's messages, if the program does not compile. */
  readonly log: (line: string) => void
}

/** Builds the program, where the machine has Rust. */
export async function buildTokioPostgres(
  folder: string,
  { table, quick, log }: TokioPostgresOptions,
): Promise<TokioPostgres> {
  if (quick) return { about: 'not measured in a quick run, because it takes a minute to compile' }
  if (table !== TABLE) return { about: `not measured: its program has rows of the table ${TABLE} alone` }
  try {
    const compiler = (await run('rustc', ['--version'])).stdout.trim()
    const build = ['build', '--release', '--locked', '--manifest-path', MANIFEST, '--target-dir', folder]
    await run('cargo', build)
    const { stdout } = await run('cargo', ['pkgid', '--manifest-path', MANIFEST, 'tokio-postgres'])
    return {
      about: `${stdout.trim().split('@').at(-1)}, ${compiler}`,
      path: join(folder, 'release', 'copy-objects'),
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { about: 'not measured, since this machine has no Rust' }
    log(`  tokio-postgres (Rust) is left out: ${message}`)
    return { about: 'not measured, since its program did not compile on this machine' }
  }
}
