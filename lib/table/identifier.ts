import type { TableName } from '../types.ts'

/** The parts of a table's name; without a schema the server's search_path decides. */
export interface TableParts {
  readonly schema?: string
  readonly name: string
}

/**
 * Quotes a name for SQL text.
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteTable({ schema, name }: TableParts): string {
  return schema === undefined ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/** Quotes text as a constant that is read the same with either value of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? `E${quoted}` : quoted
}

export function quoteList(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ')
}

/**
 * Splits a table's name into its parts, at its first dot outside double quotes. Quoted parts may contain
 * anything, including doubled quotes. Case is kept: `Orders` means "Orders".
 */
export function parseTableName(table: TableName): TableParts {
  if (typeof table !== 'string') return table
  const dot = firstDotOutsideQuotes(table)
  if (dot < 0) return { name: unquote(table) }
  return { schema: unquote(table.slice(0, dot)), name: unquote(table.slice(dot + 1)) }
}

function firstDotOutsideQuotes(text: string): number {
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted
    else if (text[i] === '.' && !quoted) return i
  }
  return -1
}

function unquote(part: string): string {
  const match = /^"((?:[^"]|"")*)"$/.exec(part)
  return match ? match[1]!.replaceAll('""', '"') : part
}
