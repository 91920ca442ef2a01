import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { stopTestKafka } from './kafka/test-broker.ts'
import { stopTestServer } from './servers/database.ts'
import { SEED } from './thorough.ts'

const repository = new URL('../../', import.meta.url)
const MODULES = [
  'lib/encode/csv/wasm/csv-rows.wasm',
  'lib/sources/csv/split/csv-split.wasm',
  'lib/encode/json/wasm/json-rows.wasm',
  'lib/encode/columnar/wasm/block-rows.wasm',
  'lib/sources/parquet/pages/wasm/hybrid.wasm',
  'lib/sources/json/lines/json-lines.wasm',
]

/** Builds the WebAssembly modules in a copy of the sources where `npm install` has not run. Runs once. */
export function mochaGlobalSetup(): void {
  if (MODULES.every(path => existsSync(new URL(path, repository)))) return
  execFileSync('npm', ['run', 'build:wasm'], {
    cwd: fileURLToPath(repository),
    shell: process.platform === 'win32',
    stdio: 'pipe',
  })
}

// the same random cases in each run, so that a failure is there again in the next one
fc.configureGlobal({ seed: SEED })

/** Tests cause these on purpose, and would print them among the dots. */
const EXPECTED_WARNINGS = ['PG_BATCH_PARAMETER_IGNORED', 'PG_INVALID_DATE', 'MockTimers']
const [printWarning, ...others] = process.listeners('warning')
if (printWarning && others.length === 0) {
  process.off('warning', printWarning)
  process.on('warning', (warning: Error & { code?: string }) => {
    const text = `${warning.code} ${warning.message}`
    if (!EXPECTED_WARNINGS.some(expected => text.includes(expected))) printWarning(warning)
  })
}

// A worker of a parallel run has its root hooks called after each of its files. A server takes a second to
// start, so a worker keeps its own from file to file, and its exit ends it.
const inWorker = process.env.MOCHA_WORKER_ID !== undefined
// a process that a test starts is not a worker
delete process.env.MOCHA_WORKER_ID

export const mochaHooks = {
  async afterAll(): Promise<void> {
    if (inWorker) return
    await stopTestKafka()
    await stopTestServer()
  },
}
