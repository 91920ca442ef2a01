import { Command, InvalidArgumentError, Option } from 'commander'
import { didYouMean } from '../../lib/options/did-you-mean.ts'
import { TABLES, type TableName } from './tables/index.ts'

/** What `npm run bench` was asked for. */
export interface BenchArguments {
  readonly names: readonly string[]
  readonly rows?: number
  readonly repeats?: number
  readonly quick?: boolean
  readonly table?: TableName
}

/** Reads the words of the command line. Wrong ones throw a CommanderError, after their line was written. */
export function readArguments(words: readonly string[], known: readonly string[]): BenchArguments {
  const program = new Command('bench')
    .description('Measure, and write what came of it to bench/<name>/RESULTS.md and <name>.svg.')
    .argument('[names...]', `of ${known.join(', ')}; all of them by default`)
    .option('-r, --rows <n>', 'rows in a run', positiveInteger)
    .option('-n, --repeats <n>', 'runs of each case', positiveInteger)
    .option('-q, --quick', "a minute's look, which is printed and not published")
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

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, 1 or more.')
  return Number(text)
}
