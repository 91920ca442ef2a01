import { isServerError } from '../../connection/server-error.ts'
import { quoteIdentifier, quoteTable, type TableParts } from '../../table/identifier.ts'

export interface Wanted {
  /** The role that lacks a privilege. */
  readonly user: string
  readonly table: TableParts
  /** The privileges that the role needs on the table. */
  readonly privileges?: string
  /** The privilege that the role needs on the table's schema. @default USAGE */
  readonly onSchema?: 'USAGE' | 'CREATE'
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** The kind and the name of what the role has no privilege on. */
const DENIED =
  /^permission denied (?:for|to create temporary tables in) (table|view|schema|sequence|database) (.+)$/

/**
 * Returns `; its owner can allow it: GRANT …` if the error says that a privilege is missing, else an empty
 * string.
 */
export function privilegeHint(
  error: unknown,
  { user, table, privileges, onSchema = 'USAGE' }: Wanted,
): string {
  if (!isServerError(error) || error.code !== INSUFFICIENT_PRIVILEGE) return ''
  const [, kind = '', name = ''] = DENIED.exec(error.message) ?? []
  const grants: Readonly<Record<string, string | undefined>> = {
    table: privileges && `${privileges} ON ${quoteTable(table)}`,
    schema: `${onSchema} ON SCHEMA ${quoteIdentifier(name)}`,
    sequence: `USAGE ON SEQUENCE ${quoteTable({ ...table, name })}`,
    // the server quotes its name, and not those of the others
    database: `TEMPORARY ON DATABASE ${name}`,
  }
  const grant = grants[kind === 'view' ? 'table' : kind]
  return grant ? `; its owner can allow it: GRANT ${grant} TO ${quoteIdentifier(user)}` : ''
}

/** Returns the privileges that a load needs. An upsert also reads the rows that are in the table. */
export function neededPrivileges(options: {
  readonly onConflict?: unknown
  readonly onConflictDo?: 'update' | 'nothing'
  readonly replace?: boolean
}): string {
  const { onConflict, onConflictDo, replace } = options
  if (replace) return 'SELECT, INSERT, UPDATE, DELETE'
  if (onConflictDo === 'nothing') return 'SELECT, INSERT'
  return onConflict ? 'SELECT, INSERT, UPDATE' : 'INSERT'
}
