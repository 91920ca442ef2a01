import type { AddedColumn } from '../../table/alter-table.ts'
import { type InferredType, inferType, widerType } from '../../values/infer-type.ts'
import type { WritePlan } from '../plan/plan.ts'
import { prepareBatch, rowsWithUnknownKeys, unknownKeys } from '../prepare/prepare-batch.ts'
import type { Batch } from '../rows/batch.ts'

/**
 * Returns the columns that the unknown keys of batches need, with types that hold the values. A row with a
 * key that cannot become a column, or with more new keys than the limit leaves, adds none: it is rejected.
 * @param limit how many columns may still be added
 */
export function newColumns<Item>(
  batches: readonly Batch<Item>[],
  plan: WritePlan<Item>,
  limit: number,
): AddedColumn[] {
  const columns = new NewColumns(plan, limit)
  for (const batch of batches) {
    for (const row of rowsWithUnknownKeys(prepareBatch(batch, plan), plan)) columns.add(row)
  }
  return columns.list()
}

class NewColumns<Item> {
  readonly #plan: WritePlan<Item>
  readonly #limit: number
  readonly #types = new Map<string, InferredType>()
  /** The names in lower case: two new columns must not differ only in case either. */
  readonly #lower = new Map<string, string>()

  constructor(plan: WritePlan<Item>, limit: number) {
    this.#plan = plan
    this.#limit = limit
  }

  add(row: object): void {
    let values: (readonly [key: string, type: InferredType])[]
    try {
      values = typesOf(row, this.#plan)
    } catch {
      return // a getter that throws: the row is rejected for it
    }
    const news = values.filter(([key]) => !this.#types.has(key))
    if (this.#types.size + news.length > this.#limit || !this.#fit(news.map(([key]) => key))) return
    for (const [key] of news) this.#lower.set(key.toLowerCase(), key)
    for (const [key, type] of values) {
      const known = this.#types.get(key)
      this.#types.set(key, known === undefined ? type : widerType(known, type, 'object'))
    }
  }

  list(): AddedColumn[] {
    return [...this.#types].map(([name, type]) => ({ name, type }))
  }

  /** Returns true if each name can be that of a column, beside the table's and each other. */
  #fit(names: readonly string[]): boolean {
    const lower = new Set(names.map(name => name.toLowerCase()))
    return (
      lower.size === names.length &&
      names.every(
        name => this.#plan.whyNoNewColumn!(name) === undefined && !this.#lower.has(name.toLowerCase()),
      )
    )
  }
}

function typesOf<Item>(row: object, plan: WritePlan<Item>): (readonly [key: string, type: InferredType])[] {
  return [...unknownKeys(row, plan)].flatMap(key => {
    const type = inferType((row as Record<string, unknown>)[key], 'object')
    return type === undefined ? [] : [[key, type] as const]
  })
}
