/**
 * Draws docs/load.svg: a load in a terminal, of a run that takes place now. Needs `script` of util-linux, for
 * a terminal, and a build (`npm run build`). `npm run picture`
 */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { Screen } from './screen.ts'
import { terminalSvg } from './svg.ts'

const ROWS = 1_000_000
const COLUMNS = 96
const ARGUMENTS = ['load', 'orders.csv', '--table', 'orders', '--create', '--embedded']
const COMMAND = `$ npx pg-batch-streams ${ARGUMENTS.join(' ')}`

const repository = fileURLToPath(new URL('../../', import.meta.url))
const scratch = await mkdtemp(join(tmpdir(), 'pg-batch-picture-'))
try {
  await chmod(scratch, 0o755) // as root the server runs as the user postgres
  await pipeline(Readable.from(csvLines()), createWriteStream(join(scratch, 'orders.csv')))
  const screen = new Screen()
  screen.write(`${COMMAND}\r\n`, 0)
  const durationMs = await record(screen)
  const title = `${COMMAND.slice(2)} loads ${ROWS.toLocaleString('en-US')} rows`
  await writeFile(join(repository, 'docs', 'load.svg'), terminalSvg(screen.spans(), { title, durationMs }))
} finally {
  await rm(scratch, { recursive: true, force: true })
}

function* csvLines(): Generator<string> {
  yield 'id,customer,product,quantity,price,ordered_at\n'
  const start = Date.UTC(2026, 0, 1)
  for (let id = 1; id <= ROWS; id++) {
    const price = ((id * 7919) % 99_900) / 100 + 1
    const orderedAt = new Date(start + id * 30_000).toISOString()
    yield `${id},customer ${(id * 31) % 50_021},SKU-${(id * 17) % 9973},${(id % 8) + 1},${price.toFixed(2)},${orderedAt}\n`
  }
}

/** Runs the command in a terminal of its own, and returns how long it took. */
async function record(screen: Screen): Promise<number> {
  const words = [process.execPath, join(repository, 'dist/cli/main.js'), ...ARGUMENTS]
  const script = `stty cols ${COLUMNS} rows 40; exec ${words.map(word => `'${word}'`).join(' ')}`
  const child = spawn('script', ['-qefc', script, '/dev/null'], {
    cwd: scratch,
    env: { ...process.env, PG_BATCH_DATA: scratch },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const started = performance.now()
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    // where a user other than root finds the data
    screen.write(chunk.replaceAll(scratch, '~/.local/share/pg-batch'), performance.now() - started)
  }
  if (child.exitCode !== 0 && child.exitCode !== null) throw new Error(`status ${child.exitCode}`)
  return performance.now() - started
}
