export type Row = Record<string, unknown>

/** A table `%`, rows that it has, and rows that are written; `delete` marks one that is deleted. */
export interface Case {
  readonly title: string
  readonly ddl: string
  readonly stored?: readonly Row[]
  readonly rows: readonly Row[]
}

export const VALUES = 'id int PRIMARY KEY, v text'
export const bad = (v: unknown) => [
  { id: 2, v: 'x' },
  { id: 1, v },
  { id: 1, v: 'y' },
]
