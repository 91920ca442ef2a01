import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { median, significant } from './statistics.ts'

const { version: pgVersion } = createRequire(import.meta.url)('pg/package.json') as { version: string }

/** The load before the first run; read early, since benchmarks make load themselves. */
export interface MachineState {
  readonly load: number
  readonly syncMs: number
}

export function machineState(): MachineState {
  return { load: loadavg()[0]!, syncMs: syncMs() }
}

/** Describes the machine and the versions that the figures are from. */
export function machineLine({ load, syncMs }: MachineState, serverVersion: string | undefined): string {
  const processors = cpus()
  const cores = processors.length
  const shared = load > 0.25 * cores
  return [
    `- ${cores} cores (${processors[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    `- Node.js ${process.version}, pg ${pgVersion}${serverVersion ? `, PostgreSQL ${serverVersion}, embedded, on loopback, default settings, fsync on` : ''}`,
    `- an 8 kB write and fdatasync take ${significant(syncMs)} ms (median of 50)`,
    `- load average before the first run: ${load.toFixed(1)} on ${cores} cores${shared ? '; **other work ran**: compare figures within a table only' : ''}`,
    `- measured on ${new Date().toISOString().slice(0, 10)}`,
  ].join('\n')
}

/** The time of an fdatasync, which a commit waits for: it decides the cost of small transactions. */
function syncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'pg-batch-bench-'))
  const file = openSync(join(folder, 'sync'), 'w')
  const page = Buffer.alloc(8192, 1)
  const samples = Array.from({ length: 50 }, () => {
    const started = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - started
  })
  closeSync(file)
  rmSync(folder, { recursive: true })
  return median(samples)
}
