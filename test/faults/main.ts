import { parseArgs } from 'node:util'
import { describeCase, type FaultCase, makeCases } from './cases.ts'
import { makeTable } from './report.ts'
import { type CaseResult, runCase } from './run-case.ts'
import { FaultServer } from './server.ts'

/**
 * The fault suite: loads of numbered rows, hit by faults of every kind, and a count of what has become of each row.
 *
 *     tsx test/faults/main.ts [--faults 500] [--seed 1] [--only NAME] [--servers 3] [--verbose]
 *
 * A seed decides which faults meet which loads; the machine's own timing has its part in where they hit.
 */
const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '520' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: '3' },
    verbose: { type: 'boolean', default: false },
  },
})

const started = performance.now()
const cases = makeCases(Number(values.faults), Number(values.seed), values.only)
const results: CaseResult[] = []
const servers: FaultServer[] = []

const stopServers = (): Promise<unknown> => Promise.all(servers.splice(0).map(server => server.stop()))
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopServers().finally(() => process.exit(130)))
}

/** Each server has its own queue's turn at the cases, so that their faults do not mix. */
async function work(queue: Iterator<FaultCase>): Promise<void> {
  const server = await FaultServer.start()
  servers.push(server)
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const began = performance.now()
    const result = await runCase(server, next.value)
    results.push(result)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    if (values.verbose) {
      console.log(`${seconds} s, ${result.fired} fired, ${result.sent} rows: ${describeCase(next.value)}`)
    }
    for (const complaint of result.complaints)
      console.error(`FAILED ${describeCase(next.value)}: ${complaint}`)
  }
}

try {
  const queue = cases.values()
  await Promise.all(Array.from({ length: Math.min(Number(values.servers), cases.length) }, () => work(queue)))
} finally {
  await stopServers()
}

const failed = results.filter(result => result.complaints.length > 0).length
console.log(makeTable(results.sort((a, b) => a.case.number - b.case.number)))
console.log(`seed ${values.seed}, ${((performance.now() - started) / 1000).toFixed(0)} s`)
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
