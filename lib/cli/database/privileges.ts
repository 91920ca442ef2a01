import { isServerError } from '../../connection/server-error.ts'
import { quoteIdentifier, quoteTable, type TableParts } from '../../table/identifier.ts'

export interface Wanted {
  /** The role that was denied. */
  readonly user: string
  readonly table: TableParts
  /** What the role needs on the table. */
  readonly privileges?: string
  /** What the role needs on the table's schema. @default USAGE */
  readonly onSchema?: 'USAGE' | 'CREATE'
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** `; the owner can allow it: GRANT …` for an error that says that a privilege is missing; empty for any other. */
export function privilegeHint(
  error: unknown,
  { user, table, privileges, onSchema = 'USAGE' }: Wanted,
): string {
  if (!isServerError(error) || error.code !== INSUFFICIENT_PRIVILEGE) return ''
  const [, kind = '', name = ''] =
    /^permission denied for (table|view|schema|sequence) (.+)$/.exec(error.message) ?? []
  const grants: Readonly<Record<string, string | undefined>> = {
    table: privileges && `${privileges} ON ${quoteTable(table)}`,
    schema: `${onSchema} ON SCHEMA ${quoteIdentifier(name)}`,
    sequence: `USAGE ON SEQUENCE ${quoteTable({ ...table, name })}`,
  }
  const grant = grants[kind === 'view' ? 'table' : kind]
  return grant ? `; its owner can allow it: GRANT ${grant} TO ${quoteIdentifier(user)}` : ''
}

/** What a role needs to load into a table: an upsert reads the rows that are there, too. */
export function neededPrivileges(options: {
  readonly onConflict?: readonly string[]
  readonly onConflictDo?: 'update' | 'nothing'
}): string {
  const { onConflict, onConflictDo } = options
  if (onConflictDo === 'nothing') return 'SELECT, INSERT'
  return onConflict ? 'SELECT, INSERT, UPDATE' : 'INSERT'
}
