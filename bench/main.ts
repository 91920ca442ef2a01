import { CommanderError } from 'commander'
import { BENCHES } from './benches.ts'
import { type BenchArguments, readArguments } from './support/arguments.ts'
import { type Bench, type BenchContext, type BenchResults, BenchUnavailable } from './support/bench.ts'
import { measureCompiledInChild, measureInChild } from './support/child.ts'
import { machineLine, machineState } from './support/machine.ts'
import { renderTable } from './support/markdown.ts'
import { writeResults } from './support/results-file.ts'
import { BenchServer } from './support/server.ts'

const DEFAULT_TABLE = 'mixed'

/** Runs of each case for a quick look: the fewest that show a spread. */
const QUICK_REPEATS = 2

async function main({
  names,
  rows,
  repeats,
  quick = false,
  table = DEFAULT_TABLE,
  only,
}: BenchArguments): Promise<void> {
  const state = machineState()
  const server = new BenchServer()
  try {
    for (const name of names) {
      const { bench } = await BENCHES[name]!()
      if (table !== DEFAULT_TABLE && !bench.anyTable) {
        log(`${name}: left out, because it has only one table`)
        continue
      }
      log(`${name}: ${bench.question}`)
      const results = await runUnlessUnavailable(bench, {
        rows,
        repeats: repeats ?? (quick ? QUICK_REPEATS : bench.repeats),
        quick,
        table,
        ...(only && { only }),
        measure: measureInChild,
        measureCompiled: measureCompiledInChild,
        connectionString: () => server.connectionString(),
        log,
      })
      if (!results) continue
      const machine = machineLine(state, await server.version())
      console.log(`\n${machine}\n\n${results.tables.map(renderTable).join('\n\n')}\n`)
      if (quick || only) continue
      const folder = new URL(`./${name}/`, import.meta.url)
      const written = await writeResults(folder, {
        bench,
        results,
        machine,
        ...(table === DEFAULT_TABLE ? {} : { variant: table }),
      })
      log(`written to bench/${name}: ${written.join(', ')}`)
    }
  } finally {
    await server.stop()
  }
}

/** Returns undefined, after a line that says why, where a benchmark cannot run. The others continue. */
async function runUnlessUnavailable(bench: Bench, context: BenchContext): Promise<BenchResults | undefined> {
  try {
    return await bench.run(context)
  } catch (error) {
    if (!(error instanceof BenchUnavailable)) throw error
    log(`${bench.name}: left out. ${error.message}`)
    return undefined
  }
}

/** Progress goes to standard error, so that the tables can be piped. */
function log(line: string): void {
  console.error(line)
}

try {
  const benches = await Promise.all(Object.values(BENCHES).map(async load => (await load()).bench))
  await main(readArguments(process.argv.slice(2), benches))
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
