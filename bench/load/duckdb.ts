import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SCRIPT = fileURLToPath(new URL('with-duckdb.py', import.meta.url))

/** Returns the version of DuckDB; undefined where Python does not have it, or it cannot reach PostgreSQL. */
export async function duckdbVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(python(), [SCRIPT])
    return stdout.trim()
  } catch {
    return undefined
  }
}

/** Returns the command that loads a file of NDJSON or Parquet. */
export function duckdbCommand(server: string, table: string, file: string): [string, ...string[]] {
  return [python(), SCRIPT, 'load', server, table, file]
}

/** Writes the rows of a CSV file as Parquet. */
export async function writeParquet(csv: string, file: string, codec: 'snappy' | 'zstd'): Promise<void> {
  await promisify(execFile)(python(), [SCRIPT, 'write', csv, file, codec])
}

/** `BENCH_PYTHON` names the Python of an environment in which DuckDB is installed. */
function python(): string {
  return process.env.BENCH_PYTHON ?? 'python3'
}
