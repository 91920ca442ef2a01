import type { Batch, RowGroup } from './batch.ts'

/** What a row did to the table. */
export type RowAction = 'inserted' | 'updated' | 'deleted' | 'unchanged'

/** What a row did, and what its statement returned. */
export interface RowResult {
  readonly action: RowAction
  /** The values of the option `returning`; undefined where the statement returned none. */
  readonly row: Record<string, unknown> | undefined
}

/** What the rows of a transaction did. A row that is sent again, after a savepoint, replaces its result. */
export class RowResults {
  readonly #byBatch = new Map<Batch<unknown>, RowResult[]>()

  /** @param index index into the group's rows */
  set({ batch, rows }: RowGroup, index: number, result: RowResult): void {
    const results = this.#byBatch.get(batch) ?? []
    results[rows.itemAt(index)] = result
    this.#byBatch.set(batch, results)
  }

  /** Returns the result of an item of a batch. */
  get(batch: Batch<unknown>, item: number): RowResult | undefined {
    return this.#byBatch.get(batch)?.[item]
  }
}
