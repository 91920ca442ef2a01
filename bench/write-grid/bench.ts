import type { Bench } from '../support/bench.ts'
import { describeRows } from '../support/rows.ts'
import { batchesOfASize, measureCrossover } from './crossover.ts'
import { measureGrid } from './grid.ts'

const ROWS = 300_000
const QUICK_ROWS = 60_000

export const bench: Bench = {
  name: 'write-grid',
  question:
    'Which method, batch size and concurrency write fastest, and from how many rows is COPY worth it?',
  repeats: 5,
  minutes: 10,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const crossover = await measureCrossover({ repeats, quick, server, measure, log })
    const { tables: grid, chart } = await measureGrid({ rows, repeats, quick, server, measure, log })
    return {
      caveat:
        'Client and server share one machine: round trips are nearly free, and both use the same cores. A transaction ' +
        'takes the batches that are ready, so in the grid small batches do not mean small commits; only the tables of ' +
        'single batches show what a batch costs by itself.',
      method: `${describeRows()} \`pipeline(Readable.from(rows), BatchTransform, PgBatchWritable)\`, rows in
memory before the clock runs, which stops when all are committed. The table has no index. Runs of large COPY
batches have ${rows.toLocaleString('en')} rows, those of INSERT and of small batches fewer. Each run is a
process of its own, which first writes up to 20,000 rows untimed, then empties the table and has the server do
a CHECKPOINT. The table's rows are counted, and its ids checked to be distinct, before a time counts. The cells take
turns; each shows the median of ${repeats} such rounds, the least and the greatest in brackets.

Single batches: each is written when the one before is committed, with nothing else in flight, by streams that
hold the same connection; the methods take turns batch by batch. Each of ${repeats} processes gives its median
of ${batchesOfASize(quick)} batches of a size; the tables show the median of these, the least and the
greatest. The last column is the same of COPY's time by INSERT's, pair by pair. In batches of four shapes a
key is absent in three rows of four, another one each time, and each shape takes a statement of its own.
Upserts go to a table with a primary key, and half of a batch's keys are in it.`,
      tables: [...crossover, ...grid],
      chart,
    }
  },
}
