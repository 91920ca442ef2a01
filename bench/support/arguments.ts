import { Command, InvalidArgumentError, Option } from 'commander'
import { didYouMean } from '../../lib/values/names/did-you-mean.ts'
import type { Bench } from './bench.ts'
import { TABLES, type TableName } from './tables/index.ts'

/** The arguments of `npm run bench`. */
export interface BenchArguments {
  readonly names: readonly string[]
  readonly rows?: number
  readonly repeats?: number
  readonly quick?: boolean
  readonly table?: TableName
  readonly only?: readonly string[]
}

type HelpLine = Pick<Bench, 'name' | 'question' | 'minutes'>

/**
 * Reads the words of the command line.
 * @throws CommanderError for wrong words, after it has written a line that says what is wrong
 */
export function readArguments(words: readonly string[], benches: readonly HelpLine[]): BenchArguments {
  const known = benches.map(({ name }) => name)
  const program = new Command('bench')
    .description('Measure, and write the results to bench/<name>/RESULTS.md and bench/<name>/<name>.svg.')
    .argument('[names...]', 'benchmarks to run; all of them by default')
    .addHelpText('after', `\n${listOf(benches)}`)
    .option('-r, --rows <n>', 'rows of each run', positiveInteger)
    .option('-n, --repeats <n>', 'runs of each case', positiveInteger)
    .option(
      '-q, --quick',
      'a short look of about a minute for each benchmark; it is printed, and RESULTS.md stays as it is',
    )
    .option(
      '--only <words...>',
      'only the cases whose group has one of these words, such as parquet, in the bench load; printed only',
    )
    .addOption(
      new Option('-t, --table <name>', 'another generator of rows, for benches that take one').choices(
        Object.keys(TABLES),
      ),
    )
    .exitOverride()
    .parse(words, { from: 'user' })
  const unknown = program.args.find(name => !known.includes(name))
  if (unknown !== undefined) {
    program.error(`error: there is no bench "${unknown}"${didYouMean(unknown, known)} (${known.join(', ')})`)
  }
  return { ...program.opts(), names: program.args.length > 0 ? program.args : known }
}

/** What each benchmark asks, and how long it takes. */
function listOf(benches: readonly HelpLine[]): string {
  const width = Math.max(...benches.map(({ name }) => name.length))
  const lines = benches.map(
    ({ name, question, minutes }) =>
      `  ${name.padEnd(width)}  ${String(minutes).padStart(2)} min  ${question}`,
  )
  const total = benches.reduce((sum, { minutes }) => sum + minutes, 0)
  return ['Benchmarks:', ...lines, '', `All of them take about ${total} minutes on two cores.`].join('\n')
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, 1 or more.')
  return Number(text)
}
