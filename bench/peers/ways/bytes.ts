import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { from as copyFrom } from 'pg-copy-streams'
import { TABLE } from '../../support/table.ts'
import { OwnMeasure } from '../../support/timed-load.ts'
import type { Way } from './way.ts'

const PIECE_BYTES = 64 * 1024

/**
 * Bytes that the server wrote itself, in memory before the clock runs: all that is left is wire and server.
 */
export const ceiling: Way = {
  tone: 'bound',
  from: 'files',
  async open({ files }) {
    const bytes = await readFile(files.binary)
    const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, piece) =>
      bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
    )
    return {
      async write(pool) {
        const client = await pool.connect()
        try {
          await pipeline(
            Readable.from(pieces),
            client.query(copyFrom(`COPY ${TABLE} FROM STDIN (FORMAT binary)`)),
          )
        } finally {
          client.release()
        }
      },
    }
  },
}

const run = promisify(execFile)

/** `psql`'s own clock is taken: neither its start nor its connecting counts. */
export function psql(format: 'csv' | 'text' | 'binary'): Way {
  return {
    tone: 'other',
    from: 'files',
    async open({ connectionString, files }) {
      const copy = `\\copy ${TABLE} from '${files[format]}' with (format ${format})`
      const words = ['-X', '-v', 'ON_ERROR_STOP=1', '-d', connectionString, '-c', '\\timing on', '-c', copy]
      return {
        async write() {
          const { stdout } = await run('psql', words, { env: { ...process.env, LC_ALL: 'C' } })
          const milliseconds = /^Time: ([\d.]+) ms/m.exec(stdout)?.[1]
          if (milliseconds === undefined) throw new Error(`psql printed no time: ${stdout}`)
          return new OwnMeasure(Number(milliseconds) / 1000)
        },
      }
    },
  }
}

/** What `psql --version` prints; undefined without psql. */
export async function psqlVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('psql', ['--version'])
    return stdout.trim()
  } catch {
    return undefined
  }
}
