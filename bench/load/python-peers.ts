import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A script that loads files into PostgreSQL with a package of Python, and writes Parquet. */
export class PythonPeer {
  readonly #script: string

  constructor(script: string) {
    this.#script = fileURLToPath(new URL(script, import.meta.url))
  }

  /** Returns the version; undefined where Python does not have the package, or it cannot reach PostgreSQL. */
  async version(): Promise<string | undefined> {
    try {
      return (await this.#run()).trim()
    } catch {
      return undefined
    }
  }

  /** Returns the command that loads a file. */
  loadCommand(server: string, table: string, file: string): [string, ...string[]] {
    return [python(), this.#script, 'load', server, table, file]
  }

  /** Writes the rows of a CSV file as Parquet. */
  async writeParquet(csv: string, file: string, kind: 'snappy' | 'zstd' | 'spark'): Promise<void> {
    await this.#run('write', csv, file, kind)
  }

  async #run(...words: string[]): Promise<string> {
    return (await promisify(execFile)(python(), [this.#script, ...words])).stdout
  }
}

export const duckdb = new PythonPeer('with-duckdb.py')
export const arrow = new PythonPeer('with-arrow.py')

/** `BENCH_PYTHON` names the Python of an environment in which the packages are installed. */
function python(): string {
  return process.env.BENCH_PYTHON ?? 'python3'
}
