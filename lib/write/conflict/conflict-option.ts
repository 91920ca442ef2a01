/** The `onConflict` option. */
export interface ConflictOption {
  readonly target?: readonly string[] | { readonly constraint: string } | { readonly index: string }
  readonly action: 'nothing' | 'update'
  readonly mode?: 'upsert' | 'update-only'
  readonly update?: readonly string[] | Readonly<Record<string, string>>
  readonly newerBy?: string
  readonly onlyIfChanged?: boolean
  readonly where?: string
}

/** Returns the columns that `update` sets to the value of SQL, and the SQL of each. */
export function computedBy({ update }: ConflictOption): [column: string, sql: string][] {
  return update && !Array.isArray(update) ? Object.entries(update as Record<string, string>) : []
}
