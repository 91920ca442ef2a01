const SERVER = 'name the server in --database postgres://USER@HOST:PORT/DATABASE'
const DELIMITER = 'here it is --delimiter'
const REJECTS = '--rejects FILE keeps bad rows and loads the others, --reject-limit says how many'

/** What to write instead of options that users know from psql, pg_restore and other loaders. */
const INSTEAD: Readonly<Record<string, string>> = {
  '-h': `${SERVER}, or set PGHOST`,
  '--host': `${SERVER}, or set PGHOST`,
  '-p': `${SERVER}, or set PGPORT`,
  '--port': `${SERVER}, or set PGPORT`,
  '-U': `${SERVER}, or set PGUSER`,
  '--user': `${SERVER}, or set PGUSER`,
  '--username': `${SERVER}, or set PGUSER`,
  '--db': `${SERVER}, or set PGDATABASE`,
  '--dbname': `${SERVER}, or set PGDATABASE`,
  '-W': 'set PGPASSWORD, or use the file ~/.pgpass',
  '-w': 'set PGPASSWORD, or use the file ~/.pgpass',
  '--password': 'set PGPASSWORD, or use the file ~/.pgpass',
  '--no-password': 'set PGPASSWORD, or use the file ~/.pgpass',
  '--command': 'the command loads files, and runs no SQL of yours',
  '--file': 'name the file without an option: pg-batch load FILE --table TABLE',
  '--input': 'name the file without an option: pg-batch load FILE --table TABLE',
  '-n': 'name the schema with the table: --table SCHEMA.TABLE',
  '--schema': 'name the schema with the table: --table SCHEMA.TABLE',
  '--csv': 'here it is --format csv',
  '-F': DELIMITER,
  '--sep': DELIMITER,
  '--separator': DELIMITER,
  '--fieldsep': DELIMITER,
  '--field-separator': DELIMITER,
  '--pk': 'here it is --key',
  '--primary-key': 'here it is --key',
  '--upsert': 'here it is --on-conflict, with the columns of the key',
  '--overwrite': '--replace replaces all rows at once, --truncate empties the table first',
  '--if-exists': '--replace replaces all rows at once, --truncate empties the table first',
  '--ignore-errors': REJECTS,
  '--continue-on-error': REJECTS,
  '--max-errors': REJECTS,
  '--skip': 'here it is --skip-lines',
  '--skip-rows': 'here it is --skip-lines',
  '-j': 'here it is --workers, for CSV, or --concurrency',
  '--jobs': 'here it is --workers, for CSV, or --concurrency',
  '--threads': 'here it is --workers, for CSV, or --concurrency',
  '-q': 'here it is --quiet',
  '--silent': 'here it is --quiet',
}

/** Returns what to write instead of another tool's option, such as `-Upostgres` of psql. */
export function insteadOf(flag: string): string | undefined {
  const [name = flag] = flag.startsWith('--') ? flag.split('=', 1) : [flag.slice(0, 2)]
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined
}

/**
 * Returns the position of a `-h` with a value, which is psql's option for the host; -1 without one. Here
 * `-h` prints the help, so that a script would take its end for a load that has succeeded.
 */
export function hostOption(argv: readonly string[]): number {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.findIndex((arg, at) => arg === '-h' && at + 1 < end && !argv[at + 1]!.startsWith('-'))
}
