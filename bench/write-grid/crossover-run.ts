import type pg from 'pg'
import { PgBatchWritable } from '../../lib/index.ts'
import { openPool } from '../support/pool.ts'
import { type BenchRow, benchRows } from '../support/rows.ts'
import { median } from '../support/statistics.ts'
import { checkCount, makeTable } from '../support/table.ts'

/**
 * New rows into a bare table; the same, but of four shapes, a key being absent in three of them, so that each
 * batch takes four statements; upserts of which half the keys are there.
 */
export type Kind = 'plain' | 'four shapes' | 'upsert'

/**
 * The key that every fourth row lacks. Its column has a DEFAULT, so that an absent key differs from null.
 */
const ABSENT = [undefined, 'quantity', 'name', 'score'] as const
const DEFAULTS = { quantity: '0', name: "''", score: '0' }

type Method = 'insert' | 'copy'

export interface CrossoverTask {
  readonly connectionString: string
  readonly sizes: readonly number[]
  /** Timed batches of each size, kind and method. */
  readonly batches: number
}

/**
 * The medians of one process for batches of one size, in milliseconds from `write` to the 'commit' event.
 */
export interface CrossoverSample {
  readonly kind: Kind
  readonly batchRows: number
  readonly insertMs: number
  readonly copyMs: number
  /** COPY's time divided by INSERT's, of batches written one after the other. */
  readonly ratio: number
}

const WARM_UP_BATCHES = 30
/** Stored rows, to be updated. */
const STORED_ROWS = 20_000

/** Times batches that are alone: each is written when the one before is committed. */
export async function measure({
  connectionString,
  sizes,
  batches,
}: CrossoverTask): Promise<CrossoverSample[]> {
  const pool = openPool({ connectionString, max: 1 })
  try {
    const kinds: Kind[] = ['plain', 'four shapes', 'upsert']
    const pairs = await Promise.all(kinds.map(kind => Pair.open(pool, kind)))
    // the largest batches first, untimed, so that the code is compiled before small ones are timed
    for (const pair of pairs) await pair.time(Math.max(...sizes), WARM_UP_BATCHES)
    const samples: CrossoverSample[] = []
    for (const batchRows of sizes) {
      for (const pair of pairs) samples.push(await pair.time(batchRows, batches))
    }
    for (const pair of pairs) await pair.close()
    return samples
  } finally {
    await pool.end()
  }
}

/** Times the two methods in turns. */
class Pair {
  readonly #kind: Kind
  readonly #insert: Writer
  readonly #copy: Writer

  static async open(pool: pg.Pool, kind: Kind): Promise<Pair> {
    return new Pair(kind, await Writer.open(pool, kind, 'insert'), await Writer.open(pool, kind, 'copy'))
  }

  private constructor(kind: Kind, insert: Writer, copy: Writer) {
    this.#kind = kind
    this.#insert = insert
    this.#copy = copy
  }

  async time(batchRows: number, batches: number): Promise<CrossoverSample> {
    const inserts: number[] = []
    const copies: number[] = []
    for (let batch = 0; batch < batches; batch++) {
      // each method goes first in every other pair
      if (batch % 2 === 0) inserts.push(await this.#insert.write(batchRows))
      copies.push(await this.#copy.write(batchRows))
      if (batch % 2 === 1) inserts.push(await this.#insert.write(batchRows))
    }
    return {
      kind: this.#kind,
      batchRows,
      insertMs: median(inserts),
      copyMs: median(copies),
      ratio: median(copies.map((ms, batch) => ms / inserts[batch]!)),
    }
  }

  async close(): Promise<void> {
    await this.#insert.close()
    await this.#copy.close()
  }
}

/** A stream with its own table. */
class Writer {
  readonly #pool: pg.Pool
  readonly #kind: Kind
  readonly #method: Method
  readonly #sink: PgBatchWritable<Partial<BenchRow>>
  #inserted: number
  #updated = 0

  static async open(pool: pg.Pool, kind: Kind, method: Method): Promise<Writer> {
    const writer = new Writer(pool, kind, method)
    await makeTable(pool, {
      table: writer.#table,
      key: kind === 'upsert',
      defaults: kind === 'four shapes' ? DEFAULTS : {},
    })
    if (kind === 'upsert') await writer.#write(benchRows(STORED_ROWS))
    return writer
  }

  private constructor(pool: pg.Pool, kind: Kind, method: Method) {
    this.#pool = pool
    this.#kind = kind
    this.#method = method
    this.#inserted = kind === 'upsert' ? STORED_ROWS : 0
    this.#sink = new PgBatchWritable<Partial<BenchRow>>({
      pool,
      table: this.#table,
      method,
      ...(kind === 'upsert' ? { onConflict: { target: ['id'], action: 'update' } } : {}),
    })
  }

  get #table(): string {
    return `crossover_${this.#kind.replace(' ', '_')}_${this.#method}`
  }

  /**
   * Milliseconds from `write` to the commit of a batch of new rows or, in an upsert, of which every other is
   * new.
   */
  write(batchRows: number): Promise<number> {
    const rows = benchRows(batchRows, this.#inserted + 1)
    if (this.#kind !== 'upsert') {
      this.#inserted += batchRows
      return this.#write(this.#kind === 'plain' ? rows : rows.map(ofFourShapes))
    }
    const mixed = rows.map((row, index) => ({
      ...row,
      id: index % 2 === 0 ? this.#storedId() : ++this.#inserted,
    }))
    return this.#write(mixed)
  }

  /** Steps through the stored ids, so that a batch updates rows on many pages. */
  #storedId(): number {
    this.#updated += 7919 // a prime, and no divisor of the number of rows: no id twice in a batch
    return (this.#updated % STORED_ROWS) + 1
  }

  #write(rows: readonly Partial<BenchRow>[]): Promise<number> {
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

function ofFourShapes(row: BenchRow, index: number): Partial<BenchRow> {
  const absent = ABSENT[index % ABSENT.length]
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== absent))
}
