import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { TABLE } from '../../support/table.ts'
import { OwnMeasure } from '../../support/timed-load.ts'
import type { Way } from './way.ts'

const run = promisify(execFile)

/**
 * A program in Rust: see ../tokio-postgres. Its own clock is taken, which starts when it has made structs of
 * the lines of a file.
 */
export function tokioPostgres(connections: number): Way {
  return {
    tone: 'other',
    from: 'files',
    async open({ connectionString, files, tokioPostgres: program }) {
      const words = [connectionString, TABLE, files.text, String(connections)]
      return {
        async write() {
          const { stdout } = await run(program!, words)
          const [seconds, cpuSeconds] = stdout.split(' ').map(Number)
          return new OwnMeasure(seconds!, cpuSeconds!)
        },
      }
    },
  }
}
