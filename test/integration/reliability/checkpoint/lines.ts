import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { valuesOf } from '../../../support/writing.ts'

/** A row of a message that has become several. */
export interface Line {
  part: string
  message: number
  line: number
}

/** Streams of lines, with the message as offset. */
export function useLines() {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS lines, pg_batch_checkpoint;
      CREATE TABLE lines (place bigserial, part text, message int, line int)`)
  })

  const byOffset = ({ part, message }: Line) => ({ partition: part, offset: message })
  const byIndex = ({ part, message, line }: Line) => ({ partition: part, offset: message, index: line })
  const make = (position: (item: Line) => object = byIndex, extra: object = {}) =>
    new PgBatchWritable<Line>({
      pool: makePool().pool,
      table: 'lines',
      columns: ['part', 'message', 'line'],
      checkpoint: { name: 'lines', position: position as typeof byIndex },
      ...extra,
    })
  const linesOf = (message: number, count: number, part = 'a'): Line[] =>
    Array.from({ length: count }, (_, line) => ({ part, message, line }))
  const stored = () => valuesOf(db.pool, 'SELECT message, line FROM lines ORDER BY part, place')
  const checkpoint = () => readCheckpoint(db.pool, 'lines')

  return { db, makePool, byOffset, byIndex, make, linesOf, stored, checkpoint }
}
