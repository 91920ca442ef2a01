import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Column } from '../support/table.ts'

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
  loadCommand(
    server: string,
    table: string,
    file: string,
    columns: readonly Column[],
  ): [string, ...string[]] {
    return [python(), this.#script, 'load', server, table, file, typesOf(columns)]
  }

  /** Writes the rows of a CSV file as Parquet. */
  async writeParquet(
    csv: string,
    file: string,
    kind: 'snappy' | 'zstd' | 'spark',
    columns: readonly Column[],
  ): Promise<void> {
    await this.#run('write', csv, file, kind, typesOf(columns))
  }

  async #run(...words: string[]): Promise<string> {
    return (await promisify(execFile)(python(), [this.#script, ...words])).stdout
  }
}

/** Returns JSON with DuckDB's type of each column. */
function typesOf(columns: readonly Column[]): string {
  return JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, duckdbType(type)])))
}

function duckdbType(type: string): string {
  if (/^(char|varchar)\b/.test(type)) return 'VARCHAR'
  if (type.startsWith('numeric(')) return type.replace('numeric', 'DECIMAL')
  return DUCKDB_TYPES[type] ?? type.toUpperCase()
}

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  int: 'INTEGER',
  text: 'VARCHAR',
  float8: 'DOUBLE',
  numeric: 'DECIMAL(18,2)',
  jsonb: 'JSON',
}

export const duckdb = new PythonPeer('with-duckdb.py')
export const arrow = new PythonPeer('with-arrow.py')
/** It only writes files. */
export const polars = new PythonPeer('with-polars.py')

/** `BENCH_PYTHON` names the Python of an environment in which the packages are installed. */
function python(): string {
  return process.env.BENCH_PYTHON ?? 'python3'
}
