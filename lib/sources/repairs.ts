/** What `--lenient` repairs, and how it reads it. */
export const REPAIRS = {
  quote: 'stray quotes, read as text',
  missing: 'missing last fields, read as NULL',
  extra: 'empty extra fields, dropped',
  header: 'repeated headers, dropped',
  ends: 'other line ends than the first, read as line ends',
} as const

export type RepairKind = keyof typeof REPAIRS

/** One kind of repair of the records of a load. */
export interface Repair {
  readonly kind: RepairKind
  readonly count: number
  /** The line on which the first such record begins. */
  readonly exampleLine: number
  readonly exampleFile: string
}

/** Counts repaired records by kind. */
export class Repairs {
  readonly #repairs = new Map<RepairKind, Repair>()

  add(kind: RepairKind, exampleLine: number, exampleFile: string): void {
    const known = this.#repairs.get(kind)
    this.#repairs.set(
      kind,
      known ? { ...known, count: known.count + 1 } : { kind, count: 1, exampleLine, exampleFile },
    )
  }

  /** Forgets all of them: the files are read again. */
  clear(): void {
    this.#repairs.clear()
  }

  /** Returns the kinds, the most frequent one first. */
  list(): Repair[] {
    return [...this.#repairs.values()].sort((a, b) => b.count - a.count)
  }
}
