import { CommanderError } from 'commander'
import { BENCHES } from './benches.ts'
import { type BenchArguments, readArguments } from './support/arguments.ts'
import { machineLine, machineState } from './support/machine.ts'
import { renderTable } from './support/markdown.ts'
import { writeResults } from './support/results-file.ts'
import { BenchServer } from './support/server.ts'

/** Runs of each case for a quick look: the fewest that show a spread. */
const QUICK_REPEATS = 2

async function main({ names, rows, repeats, quick = false }: BenchArguments): Promise<void> {
  const state = machineState()
  const server = new BenchServer()
  try {
    for (const name of names) {
      const { bench } = await BENCHES[name]!()
      log(`${name}: ${bench.question}`)
      const results = await bench.run({
        rows,
        repeats: repeats ?? (quick ? QUICK_REPEATS : bench.repeats),
        quick,
        connectionString: () => server.connectionString(),
        log,
      })
      const machine = machineLine(state, await server.version())
      console.log(`\n${machine}\n\n${results.tables.map(renderTable).join('\n\n')}\n`)
      if (quick) continue
      await writeResults(new URL(`./${name}/`, import.meta.url), bench, results, machine)
      log(`written to bench/${name}/RESULTS.md and ${name}.svg`)
    }
  } finally {
    await server.stop()
  }
}

/** Progress goes to standard error, so that the tables can be piped. */
function log(line: string): void {
  console.error(line)
}

try {
  await main(readArguments(process.argv.slice(2), Object.keys(BENCHES)))
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
