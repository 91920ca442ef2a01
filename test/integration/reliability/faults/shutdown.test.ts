import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { outerEnvironment } from '../../../support/processes/run.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, untilBlocked, usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import {
  batchesOf,
  countOf,
  expectBalanced,
  METHODS,
  options,
  rowsOf,
  valuesOf,
} from '../../../support/writing.ts'

interface Row {
  id: number
}

describe('the end of a stream', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
  })

  for (const way of METHODS) {
    for (const concurrency of [1, 3]) {
      it(`by end() writes every batch that was accepted, by ${way.title} at concurrency ${concurrency}`, async () => {
        const { pool } = makePool()
        const writable = new PgBatchWritable<Row>({ pool, table: 't', concurrency, ...options(way) })
        for (const batch of batchesOf(
          rowsOf(1000, id => ({ id })),
          30,
        ))
          writable.write(batch)
        writable.end([{ id: 1000 }])
        await once(writable, 'finish')
        expect(writable.stats).to.include({ rowsCommitted: 1001, rowsPending: 0 })
        expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal(
          [[1001, 1001]],
        )
      })

      for (const how of ['abort', 'destroy'] as const) {
        it(`by ${how} discards exactly what is not committed, by ${way.title} at concurrency ${concurrency}`, async () => {
          const named = makePool()
          const controller = new AbortController()
          const discarded: Row[][] = []
          const writable = new PgBatchWritable<Row>({
            pool: named.pool,
            table: 't',
            concurrency,
            ...options(way),
            signal: controller.signal,
            onDiscard: items => discarded.push(items),
          })
          writable.on('error', () => {})
          const batches = batchesOf(
            rowsOf(400, id => ({ id })),
            20,
          )
          writable.write(batches[0]!)
          await until('a commit', () => writable.stats.transactions > 0)
          const unlock = await lockTable(db, 't')
          try {
            for (const batch of batches.slice(1)) writable.write(batch)
            await untilBlocked(db, named.name)
            const { rowsReceived } = writable.stats
            if (how === 'abort') controller.abort()
            else writable.destroy()
            await until('closed', () => writable.closed, 1500)
            await unlock()
            expect(discarded).to.have.length(1)
            const { stats } = writable
            expectBalanced(stats)
            expect(stats).to.include({ rowsReceived, rowsPending: discarded[0]!.length })
            const stored = (await valuesOf(db.pool, 'SELECT id FROM t')).map(([id]) => id as number)
            expect(stored).to.have.length(stats.rowsCommitted)
            const all = [...stored, ...discarded[0]!.map(({ id }) => id)].sort((a, b) => a - b)
            expect(all).to.deep.equal(rowsOf(rowsReceived, id => id))
          } finally {
            await unlock()
          }
        })
      }
    }
  }

  it('calls no onDiscard when there is nothing to discard', async () => {
    const discarded: unknown[] = []
    const onDiscard = (items: Row[]) => discarded.push(items)
    const writable = new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', onDiscard })
    writable.end([{ id: 1 }])
    await once(writable, 'close')
    expect(discarded).to.deep.equal([])
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('by SIGTERM of its process, as docs/recipes.md shows it, has committed all rows, with status 0', async () => {
    const fixture = fileURLToPath(new URL('fixtures/until-sigterm.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', fixture, db.connectionString], {
      cwd: fileURLToPath(new URL('../../../../', import.meta.url)),
      env: outerEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: string[] = []
    const errors: string[] = []
    child.stdout.setEncoding('utf8').on('data', text => chunks.push(text))
    child.stderr.setEncoding('utf8').on('data', text => errors.push(text))
    const exited = once(child, 'exit')
    try {
      await until('some rows are in', async () => (await countOf(db.pool, 't')) > 50, 15_000)
      child.kill('SIGTERM')
      expect(await settlesWithin(5000, exited)).to.deep.equal([0, null])
    } finally {
      child.kill('SIGKILL')
    }
    expect(errors.join('')).to.equal('')
    const { made, rowsCommitted } = JSON.parse(chunks.join(''))
    expect(rowsCommitted).to.equal(made)
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, max(id) + 1 FROM t')).to.deep.equal([[made, made]])
  })
})
