import { type Format, formatOfName } from './format.ts'
import { shellWord } from './shell-word.ts'
import { FormatUnknown } from './source-error.ts'

/** A kind of file whose rows are not read here, known by its first bytes. */
interface Signature {
  readonly kind: string
  /** @param file undefined for standard input */
  readonly isOne: (head: string, file: string | undefined) => boolean
  /** The mark is text, with which a table may begin as well: a value, or the name of a column. */
  readonly isText?: true
  /** To follow `it is …, which`: why not, and what to do instead. @param file undefined for standard input */
  readonly help: (file: string | undefined) => string
}

/**
 * The first bytes are read as latin1. The first signature that matches decides: a workbook is a zip archive,
 * too.
 */
const SIGNATURES: readonly Signature[] = [
  {
    kind: 'an Excel workbook (xlsx)',
    isOne: head => isZip(head) && /\bxl\//.test(head),
    help: () => SAVE_AS_CSV,
  },
  {
    kind: 'an OpenDocument file',
    isOne: head => isZip(head) && head.includes('mimetypeapplication/vnd.oasis.opendocument'),
    help: () => SAVE_AS_CSV,
  },
  {
    kind: 'a Word document, or another file of Office',
    isOne: head =>
      isZip(head) &&
      head.includes('[Content_Types].xml') &&
      !/\bxl\//.test(head) &&
      /\b(word|ppt)\//.test(head),
    help: () => SAVE_TABLE,
  },
  { kind: 'a workbook of old Excel (xls)', isOne: startsWith('\xd0\xcf\x11\xe0'), help: () => SAVE_AS_CSV },
  { kind: 'a zip archive', isOne: isZip, help: piped('unzip -p', 'funzip') },
  { kind: 'bzip2 data', isOne: head => /^BZh[1-9]1AY&SY/.test(head), help: piped('bzip2 -dc', 'bzip2 -dc') },
  { kind: 'xz data', isOne: startsWith('\xfd7zXZ\0'), help: piped('xz -dc', 'xz -dc') },
  { kind: 'a 7z archive', isOne: startsWith('7z\xbc\xaf\x27\x1c'), help: piped('7z x -so', '7z x -si -so') },
  {
    kind: 'a RAR archive',
    isOne: startsWith('Rar!\x1a\x07'),
    help: piped('unrar p -inul', 'unrar p -inul -si'),
  },
  {
    kind: 'a tar archive',
    isOne: head => head.slice(257, 262) === 'ustar',
    help: piped('tar -xOf', 'tar -xO'),
  },
  {
    kind: 'an SQLite database',
    isOne: startsWith('SQLite format 3\0'),
    help: file => {
      const word = file === undefined ? 'FILE' : shellWord(file)
      const query = `sqlite3 -csv -header ${word} 'SELECT * FROM TABLE'`
      return `is not read here; export a table of it: ${query} | pg-batch load - --table TABLE`
    },
  },
  {
    kind: 'a dump of pg_dump in its custom format',
    isOne: startsWith('PGDMP'),
    help: file =>
      `pg_restore loads: pg_restore -d DATABASE ${file === undefined ? '' : shellWord(file)}`.trim(),
  },
  {
    kind: 'a dump of SQL statements',
    isText: true,
    isOne: head => /^(?:--\r?\n)?-- (?:PostgreSQL database dump|MySQL dump)/.test(head),
    help: file => `psql runs: psql -f ${file === undefined ? '-' : shellWord(file)}`,
  },
  {
    kind: 'a script of SQL statements',
    isText: true,
    isOne: head => SCRIPT.test(head),
    help: file => `psql runs: psql -f ${file === undefined ? '-' : shellWord(file)}`,
  },
  {
    kind: 'a pointer of Git LFS',
    isText: true,
    isOne: startsWith('version https://git-lfs.github.com/spec/'),
    help: () => 'is not the file itself: git lfs pull fetches that',
  },
  { kind: 'a file of Apache Arrow', isOne: startsWith('ARROW1\0'), help: () => AS_PARQUET },
  { kind: 'a file of Apache Avro', isOne: startsWith('Obj\x01'), help: () => AS_PARQUET },
  {
    kind: 'a file of Apache ORC',
    isOne: head => head.startsWith('ORC') && head.includes('\0'),
    help: () => AS_PARQUET,
  },
  { kind: 'a PDF document', isOne: startsWith('%PDF-'), help: () => SAVE_TABLE },
  {
    kind: 'an HTML page',
    isText: true,
    isOne: head => /^\s*<(?:!doctype html|html)[\s>]/i.test(head),
    help: () => 'has no rows to load; is it the error page of a download?',
  },
  {
    kind: 'a YAML document',
    isText: true,
    isOne: (head, file) => !isTableName(file) && isYaml(head),
    help: file => {
      const convert = file === undefined ? 'yq -o json' : `yq -o json ${shellWord(file)}`
      return `is not read here; convert it to JSON: ${convert} | pg-batch load - --format json --table TABLE`
    },
  },
  {
    kind: 'an XML document',
    isText: true,
    isOne: head => /^\s*<\?xml\s/.test(head),
    help: () => 'is not read here; convert its records to CSV or NDJSON and load that',
  },
  {
    kind: 'a document of rich text (RTF)',
    isText: true,
    isOne: startsWith('{\\rtf'),
    help: () => SAVE_TABLE,
  },
  { kind: 'a PNG image', isOne: startsWith('\x89PNG\r\n\x1a\n'), help: () => NO_ROWS },
  { kind: 'a JPEG image', isOne: startsWith('\xff\xd8\xff'), help: () => NO_ROWS },
  { kind: 'a GIF image', isOne: head => /^GIF8[79]a/.test(head), help: () => NO_ROWS },
  { kind: 'a program (ELF)', isOne: startsWith('\x7fELF'), help: () => NO_ROWS },
]

/** A script's first statement, after blank lines, comments, and the first line of newer dumps. */
const SCRIPT = new RegExp(
  String.raw`^(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|\\restrict [^\n]*\n)*` +
    String.raw`(?:(?:CREATE TABLE|INSERT INTO)\s|` +
    String.raw`(?:SET \w+ = .*|COPY \S+ (?:\(.*\) )?FROM stdin);\r?(?:\n|$))`,
  'i',
)

const SAVE_AS_CSV = 'is not read here; save a sheet of it as CSV (UTF-8) and load that'
const SAVE_TABLE = 'is not read here; save its table as CSV and load that'
const AS_PARQUET = 'is not read here; convert it to Parquet and load that'
const NO_ROWS = 'has no rows to load'

/** Bytes of the longest mark that an archive begins with. They are awaited where one may have begun. */
const MAX_MARK_BYTES = 10

/** True once the bytes show whether they begin an archive. */
export function showsArchive(head: Buffer): boolean {
  return head.length >= MAX_MARK_BYTES || !/^(PK|BZh|\xfd7z)/.test(head.toString('latin1'))
}

/**
 * Throws for a file that no format reads, and says what helps.
 * @param file undefined for standard input
 * @param asked the format that was set: then a mark that is text is data
 */
export function refuseForeign(
  head: Buffer,
  name: string,
  file: string | undefined,
  asked: Format | undefined,
): void {
  const bytes = head.toString('latin1')
  const text = bytes.replace(/^\xef\xbb\xbf/, '')
  const found = SIGNATURES.find(({ isOne, isText }) =>
    isText ? asked === undefined && isOne(text, file) : isOne(bytes, file),
  )
  if (!found) return
  const table = found.isText ? '; if it is a table after all: --format csv' : ''
  throw new FormatUnknown(`${name}: it is ${found.kind}, which ${found.help(file)}${table}`)
}

function isZip(head: string): boolean {
  return head.startsWith('PK\x03\x04')
}

/** Values of a table may look like the keys of YAML. */
function isTableName(file = ''): boolean {
  return ['csv', 'tsv'].includes(formatOfName(file) ?? '')
}

/**
 * Returns true if the first two lines, without comments, are a document's mark and a key, or the first two
 * keys of a list of objects. Each line is tested by itself, in time that grows with its length.
 */
function isYaml(head: string): boolean {
  const [first = '', second = ''] = head.split('\n', 100).filter(line => !/^\s*(?:#|$)/.test(line))
  if (first.startsWith('%YAML ')) return true
  if (!YAML_KEY.test(second)) return false
  return first.trimEnd() === '---' || (/^- /.test(first) && YAML_KEY.test(first) && /^(?:\s|- )/.test(second))
}

const YAML_KEY = /^\s*(?:- )?\w[^,;|\t]*:(?:\s|$)/

function startsWith(mark: string): (head: string) => boolean {
  return head => head.startsWith(mark)
}

/** A program whose output is loaded. */
function piped(fileCommand: string, pipeCommand: string): Signature['help'] {
  return file => {
    const unpack = file === undefined ? `COMMAND | ${pipeCommand}` : `${fileCommand} ${shellWord(file)}`
    return `is not read here; unpack it: ${unpack} | pg-batch load - --table TABLE`
  }
}
