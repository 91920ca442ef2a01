import { type Command, InvalidArgumentError } from 'commander'
import type { DialectOptions } from '../../sources/csv/dialect.ts'
import { FORMATS, type Format } from '../../sources/format.ts'
import { type Encoding, encodingOf } from '../../sources/input/encoding.ts'
import { parseRecordPath, type RecordPath } from '../../sources/json/record-path.ts'
import { character, delimiter, oneOf, positiveInteger, repeated } from './option-values.ts'

/** How files are read. */
export interface InputArguments {
  readonly format?: Format
  readonly encoding?: Encoding
  readonly delimiter?: string
  /** `none`: fields are never quoted. */
  readonly quote?: string
  readonly escape?: string
  readonly comment?: string
  readonly null?: readonly string[]
  readonly forceNull?: boolean
  /** What is between the digits and the decimals of a number in CSV. */
  readonly decimalSeparator?: ',' | '.'
  /** Repair records where there is no doubt about what they mean. */
  readonly lenient?: boolean
  /** Lines at the beginning that are skipped. */
  readonly skipLines?: number
  /** The lines of the header. */
  readonly headerLines?: number
  /** Refuse a header that --create would have to change. */
  readonly strictHeader?: boolean
  /** The keys that lead from each JSON document to its records. */
  readonly recordPath?: RecordPath
  /** True for --header, false for --no-header. */
  readonly header?: boolean
  /** The column of each name in the file. */
  readonly map?: ReadonlyMap<string, string>
}

export function addInputOptions(command: Command): Command {
  return command
    .option('-f, --format <format>', FORMATS.join(', '), format)
    .option('--map <name=column>', 'load a name of the file into a column; repeatable', mapping)
    .option('--delimiter <char>', 'CSV: between fields: tab, \\x01, || (found in the file)', delimiter)
    .option('--quote <char>', 'CSV: around fields, or none (")', quote)
    .option('--escape <char>', 'CSV: before a quote in a quoted field (the quote)', character)
    .option('--comment <char>', 'CSV: lines that begin with it are skipped', character)
    .option('--null <text>', 'CSV: an unquoted text for NULL (empty); repeatable', nullText)
    .option('--force-null', 'CSV: the texts of --null are NULL in quotes, too')
    .option('--decimal-separator <char>', 'CSV: in numbers, comma or point (.)', oneOf([',', '.']))
    .option('--lenient', 'CSV: repair stray quotes and ends of records; counted at the end')
    .option('--header', 'CSV: the first line is a header, even if it looks like data')
    .option('--no-header', 'CSV: the first line is data; see --columns')
    .option('--skip-lines <n>', 'CSV: lines above the header, or the data, that are skipped', positiveInteger)
    .option('--header-lines <n>', 'CSV: the lines of the header, joined (1)', positiveInteger)
    .option('--strict-header', 'CSV: refuse names that --create would change, and titles')
    .option('--record-path <a.b>', 'JSON: the key whose list has the rows, or . for the object', recordPath)
    .option('--encoding <name>', 'utf-8, utf-16, latin1, cp1251, Shift_JIS, …', encoding)
}

/** Options that are seldom needed, because most files show their values. */
export const RARE_INPUT_OPTIONS = [
  '--delimiter',
  '--quote',
  '--escape',
  '--comment',
  '--null',
  '--force-null',
  '--decimal-separator',
  '--lenient',
  '--header',
  '--no-header',
  '--skip-lines',
  '--header-lines',
  '--strict-header',
  '--record-path',
  '--encoding',
]

/** Returns the options that say how CSV is written. */
export function dialectOf(args: InputArguments): DialectOptions {
  return {
    delimiter: args.delimiter,
    escape: args.escape,
    comment: args.comment,
    nulls: args.null,
    forceNull: args.forceNull,
    header: args.header,
    ...(args.quote === undefined ? {} : { quote: args.quote === 'none' ? undefined : args.quote }),
  }
}

/** Returns why the options contradict each other, as a usage error. */
export function inputUsageError(args: InputArguments): string | undefined {
  const { delimiter, escape: escapeBy, comment } = args
  if (args.format === 'text') {
    const { quote, forceNull, lenient, skipLines, headerLines } = args
    const options = {
      '--quote': quote,
      '--escape': escapeBy,
      '--comment': comment,
      '--force-null': forceNull,
      '--lenient': lenient,
      '--skip-lines': skipLines,
      '--header-lines': headerLines,
    }
    const needless = Object.entries(options).find(([, value]) => value !== undefined)
    if (needless) return `${needless[0]} has no meaning for the text format of COPY`
  }
  if (args.headerLines !== undefined && args.header === false) {
    return '--header-lines and --no-header contradict each other'
  }
  if (args.map && args.header === false) {
    return '--map needs the names of a header; with --no-header, name the columns in order with --columns'
  }
  const roles = { '--delimiter': delimiter, '--quote': args.quote, '--comment': comment }
  const named = Object.entries(roles).filter(([, value]) => value !== undefined)
  for (const [index, [role, value]] of named.entries()) {
    const twin = named.slice(0, index).find(([, other]) => other === value)
    if (twin) return `${twin[0]} and ${role} cannot be the same character`
  }
  const quote = args.quote === 'none' ? undefined : (args.quote ?? '"')
  if (quote !== undefined && delimiter?.includes(quote))
    return '--delimiter cannot have the quote in it; see --quote'
  if (args.quote === 'none' && escapeBy !== undefined) return '--escape has no meaning with --quote none'
  if (escapeBy !== undefined && escapeBy === delimiter)
    return '--delimiter and --escape cannot be the same character'
  return undefined
}

/** Returns a usage error for an option that has no meaning for the file's format. */
export function needlessOption(format: string, args: InputArguments): string | undefined {
  const { delimiter, quote, escape: escapeBy, comment, null: nulls, encoding } = args
  const options = {
    delimiter,
    quote,
    escape: escapeBy,
    comment,
    null: nulls,
    'force-null': args.forceNull,
    'decimal-separator': args.decimalSeparator,
    'skip-lines': args.skipLines,
    'header-lines': args.headerLines,
    [args.header ? 'header' : 'no-header']: args.header,
  }
  const isJson = format === 'json' || format === 'ndjson'
  if (args.recordPath && !isJson) return `--record-path has no meaning for ${format}, which is not JSON`
  if (format === 'csv') return undefined
  // JSON refuses only options that change values or fields: without NULLs, `NA` would be stored as a text
  const others = { lenient: args.lenient, 'strict-header': args.strictHeader, encoding }
  const all = isJson ? options : { ...options, ...others }
  const said = Object.entries(all).find(([, value]) => value !== undefined)
  return said && `--${said[0]} has no meaning for ${isJson ? 'JSON' : 'a Parquet file'}`
}

const knownFormat = oneOf(FORMATS)

/** A text with a dot or a slash is probably a file: `-f` names one for psql. */
function parseFormat(text: string): Format {
  if (!/[./\\]/.test(text)) return knownFormat(text)
  throw new InvalidArgumentError(
    `Expected one of ${FORMATS.join(', ')}. A file needs no option: pg-batch load FILE --table TABLE.`,
  )
}

/** Its words are for the completions. */
const format = Object.assign(parseFormat, { words: FORMATS })

function mapping(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.lastIndexOf('=')
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('Expected "NAME=column".')
  const [name, column] = [text.slice(0, at), text.slice(at + 1)]
  if (before.has(name)) throw new InvalidArgumentError(`"${name}" is mapped twice.`)
  if ([...before.values()].includes(column))
    throw new InvalidArgumentError(`Two names for column "${column}".`)
  return new Map([...before, [name, column]])
}

function parseEncoding(text: string): Encoding {
  const known = encodingOf(text)
  if (known === undefined)
    throw new InvalidArgumentError(`Expected an encoding, such as ${ENCODINGS.join(', ')}.`)
  return known
}

const ENCODINGS = ['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252', 'cp1251', 'Shift_JIS']

/** Its words are for the completions. */
const encoding = Object.assign(parseEncoding, { words: ENCODINGS })

function recordPath(text: string): RecordPath {
  try {
    return parseRecordPath(text)
  } catch {
    throw new InvalidArgumentError('Expected a key, or keys with dots between them.')
  }
}

function quote(text: string): string {
  return text === 'none' ? text : character(text)
}

function nullText(text: string, before: readonly string[] | undefined): string[] {
  if (/[\r\n]/.test(text)) throw new InvalidArgumentError('Expected a text without line ends.')
  return repeated(text, before)
}
