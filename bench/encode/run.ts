import { createHash } from 'node:crypto'
import { type EncodeAll, ours, peer } from './encoders.ts'
import { TABLES } from './tables.ts'

export interface EncodeTask {
  readonly table: string
  readonly rows: number
  /** Tables that the process encodes first, so that its compiled code has seen other columns and types. */
  readonly before: readonly string[]
}

/** Microseconds a row, of the best pass; undefined where pg-copy-streams-binary lacks a type. */
export interface EncodeSample {
  readonly binary: number
  readonly text: number
  readonly peer?: number
}

/** Silences the deprecation warning of `new Buffer`, which pg-copy-streams-binary calls. */
process.noDeprecation = true

const PASSES = 9
const ROWS_BEFORE = 5000
/** Fewer where the table itself is tiny, as in a test. */
const ROWS_BEFORE_PER_ROW = 10

export async function measure({ table, rows: count, before }: EncodeTask): Promise<EncodeSample> {
  for (const other of before) {
    const rows = TABLES[other]!.rows(Math.min(ROWS_BEFORE, ROWS_BEFORE_PER_ROW * count))
    for (let pass = 0; pass < 3; pass++) {
      ours(TABLES[other]!, rows, 'binary')()
      ours(TABLES[other]!, rows, 'text')()
    }
  }
  const rows = TABLES[table]!.rows(count)
  const encoders = {
    binary: ours(TABLES[table]!, rows, 'binary'),
    text: ours(TABLES[table]!, rows, 'text'),
    peer: peer(TABLES[table]!, rows),
  }
  if (encoders.peer && digest(encoders.peer) !== digest(encoders.binary)) {
    throw new Error(`${table}: the two binary encoders disagree`)
  }
  const best = { binary: Infinity, text: Infinity, peer: Infinity }
  for (let pass = 0; pass < PASSES; pass++) {
    for (const name of ['binary', 'text', 'peer'] as const) {
      const encode = encoders[name]
      if (encode) best[name] = Math.min(best[name], microsecondsARow(encode, count))
    }
  }
  const { peer: peerBest, ...oursBest } = best
  return { ...oursBest, ...(encoders.peer && { peer: peerBest }) }
}

function microsecondsARow(encode: EncodeAll, rows: number): number {
  const started = performance.now()
  encode()
  return ((performance.now() - started) * 1000) / rows
}

function digest(encode: EncodeAll): string {
  const hash = createHash('sha256')
  encode(piece => hash.update(piece))
  return hash.digest('hex')
}
