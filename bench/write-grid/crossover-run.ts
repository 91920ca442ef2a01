import pg from 'pg'
import { PgBatchWritable } from '../../lib/index.ts'
import { type BenchRow, benchRows } from '../support/rows.ts'
import { median } from '../support/statistics.ts'
import { checkCount, makeTable } from '../support/table.ts'

/** What goes into the table: new rows only, or an upsert of which half the keys are there. */
export type Kind = 'plain' | 'upsert'
export type CrossoverMethod = 'insert' | 'copy'

export interface CrossoverTask {
  readonly connectionString: string
  readonly sizes: readonly number[]
  /** Timed batches of each size, kind and method. */
  readonly batches: number
}

export interface CrossoverSample {
  readonly kind: Kind
  readonly method: CrossoverMethod
  readonly batchRows: number
  /** From `write` to the 'commit' event, the median of this process's batches. */
  readonly ms: number
}

const WARM_UP_BATCHES = 15
/** Rows that are there to be updated. */
const STORED_ROWS = 20_000

/** Times batches that are alone: each is written when the one before is committed. */
export async function measure({
  connectionString,
  sizes,
  batches,
}: CrossoverTask): Promise<CrossoverSample[]> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  try {
    const writers: Writer[] = []
    for (const kind of ['plain', 'upsert'] as const) {
      for (const method of ['insert', 'copy'] as const) writers.push(await Writer.open(pool, kind, method))
    }
    const samples: CrossoverSample[] = []
    for (const batchRows of sizes) {
      const times = new Map<Writer, number[]>(writers.map(writer => [writer, []]))
      for (let batch = -WARM_UP_BATCHES; batch < batches; batch++) {
        // in turns, so that what disturbs one method disturbs the other
        for (const writer of batch % 2 === 0 ? writers : writers.toReversed()) {
          const ms = await writer.write(batchRows)
          if (batch >= 0) times.get(writer)!.push(ms)
        }
      }
      for (const [{ kind, method }, all] of times) samples.push({ kind, method, batchRows, ms: median(all) })
    }
    for (const writer of writers) await writer.close()
    return samples
  } finally {
    await pool.end()
  }
}

/** A stream with a table of its own. */
class Writer {
  readonly #pool: pg.Pool
  readonly kind: Kind
  readonly method: CrossoverMethod
  readonly #sink: PgBatchWritable<BenchRow>
  #inserted: number
  #updated = 0

  static async open(pool: pg.Pool, kind: Kind, method: CrossoverMethod): Promise<Writer> {
    const writer = new Writer(pool, kind, method)
    await makeTable(pool, { key: kind === 'upsert', table: writer.#table })
    if (kind === 'upsert') await writer.#write(benchRows(STORED_ROWS))
    return writer
  }

  private constructor(pool: pg.Pool, kind: Kind, method: CrossoverMethod) {
    this.#pool = pool
    this.kind = kind
    this.method = method
    this.#inserted = kind === 'upsert' ? STORED_ROWS : 0
    this.#sink = new PgBatchWritable<BenchRow>({
      pool,
      table: this.#table,
      method,
      ...(kind === 'upsert' ? { onConflict: { target: ['id'], action: 'update' } } : {}),
    })
  }

  get #table(): string {
    return `crossover_${this.kind}_${this.method}`
  }

  /** Milliseconds from `write` to the commit of a batch of new rows or, in an upsert, of which every other is new. */
  write(batchRows: number): Promise<number> {
    const rows = benchRows(batchRows, this.#inserted + 1)
    if (this.kind === 'plain') {
      this.#inserted += batchRows
      return this.#write(rows)
    }
    const mixed = rows.map((row, index) => ({
      ...row,
      id: index % 2 === 0 ? this.#storedId() : ++this.#inserted,
    }))
    return this.#write(mixed)
  }

  /** Strides through the stored ids, so that a batch updates rows on many pages. */
  #storedId(): number {
    this.#updated += 7919 // a prime, and no divisor of the number of rows: no id twice in a batch
    return (this.#updated % STORED_ROWS) + 1
  }

  #write(rows: readonly BenchRow[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#sink.once('error', reject)
      const started = performance.now()
      this.#sink.once('commit', () => {
        this.#sink.off('error', reject)
        resolve(performance.now() - started)
      })
      this.#sink.write(rows)
    })
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#sink.once('error', reject).end(resolve))
    await checkCount(this.#pool, this.#inserted, this.#table)
  }
}
