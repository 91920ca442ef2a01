import type { SourceRow } from '../../sources/rows.ts'
import { type InferredType, inferType, type ValueKind, widerType } from '../../values/infer-type.ts'

export interface InferredColumn {
  readonly name: string
  /** Text if no value was seen. */
  readonly type: InferredType
  /** Each row had a value. */
  readonly always: boolean
}

/** Infers columns from rows, one row at a time. Memory does not grow with the number of rows. */
export class ColumnInference {
  readonly #kind: ValueKind
  readonly #columns = new Map<string, { type: InferredType | undefined; values: number }>()
  #rows = 0

  /** @param names come first, in this order, even if no row has them */
  constructor(kind: ValueKind, names: readonly string[] = []) {
    this.#kind = kind
    for (const name of names) this.#columns.set(name, { type: undefined, values: 0 })
  }

  get rows(): number {
    return this.#rows
  }

  add(row: SourceRow): void {
    this.#rows++
    for (const name of Object.keys(row)) {
      let column = this.#columns.get(name)
      if (!column) {
        column = { type: undefined, values: 0 }
        this.#columns.set(name, column)
      }
      const type = inferType(row[name], this.#kind)
      if (type === undefined) continue
      column.values++
      column.type = column.type === undefined ? type : widerType(column.type, type, this.#kind)
    }
  }

  columns(): InferredColumn[] {
    return [...this.#columns].map(([name, { type = 'text', values }]) => ({
      name,
      type,
      always: this.#rows > 0 && values === this.#rows,
    }))
  }
}
