import { expect } from 'chai'
import sinon from 'sinon'
import type { LoadArguments } from '../../../../lib/cli/arguments/arguments.ts'
import { load } from '../../../../lib/cli/load/load.ts'
import { useFolder } from '../../../support/folder.ts'
import { testTerminal } from '../../../support/processes/terminal.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'

describe('the progress of a load', () => {
  const database = useDatabase()
  const file = useFolder()
  let clock: sinon.SinonFakeTimers
  beforeEach(async () => {
    await database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })
  afterEach(() => clock.restore())

  /** Runs a load whose first batches wait for a lock, with what is to be done then; returns its events. */
  async function blockedLoad(
    path: string,
    options: Partial<LoadArguments>,
    whileBlocked: (events: Record<string, unknown>[]) => Promise<void>,
    signal = new AbortController().signal,
  ): Promise<Record<string, unknown>[]> {
    const events: Record<string, unknown>[] = []
    const terminal = { ...testTerminal(), note: (line: string) => void events.push(JSON.parse(line)) }
    const lock = await database.pool.connect()
    try {
      await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
      const words = {
        files: [path],
        table: 't',
        database: database.connectionString,
        log: 'json',
        ...options,
      } as const
      const running = load(words, terminal, signal).catch(error => error)
      await until('the load waits for the table', async () => {
        const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
        return (await database.pool.query(waiting)).rows.length > 0
      })
      await whileBlocked(events)
      await lock.query('COMMIT')
      await running
    } finally {
      lock.release()
    }
    return events
  }

  const progress = (events: readonly Record<string, unknown>[]) => {
    clock.tick(5000)
    return events.findLast(({ event }) => event === 'progress') as Record<string, number> | undefined
  }
  const ids = (rows: number) => `id\n${Array.from({ length: rows }, (_, id) => id).join('\n')}\n`

  it('is zero while all bytes are read and no row is committed', async () => {
    const text = ids(1000)
    const path = await file('small.csv', text)
    const events = await blockedLoad(path, { batchSize: 100 }, async events => {
      await until('all is read', async () => progress(events)?.bytesRead === text.length)
      expect(progress(events)).to.include({ rowsCommitted: 0, bytesCommitted: 0, bytesToCommit: text.length })
    })
    expect(events.at(-1)).to.include({ event: 'end', rowsCommitted: 1000, bytesCommitted: text.length })
  })

  it('continues after Ctrl-C up to the bytes that were read', async () => {
    const text = ids(500_000)
    const path = await file('large.csv', text)
    const stop = new AbortController()
    let toCommit = 0
    const events = await blockedLoad(
      path,
      { batchSize: 1000 },
      async events => {
        expect(progress(events)).to.include({ bytesCommitted: 0, bytesToCommit: text.length })
        stop.abort()
        const { bytesCommitted, bytesToCommit } = progress(events)!
        toCommit = bytesToCommit!
        expect(bytesCommitted).to.equal(0)
        expect(toCommit).to.be.within(1, text.length - 1)
      },
      stop.signal,
    )
    const end = events.at(-1)!
    expect(end).to.include({ outcome: 'interrupted', bytesCommitted: toCommit, bytesToCommit: toCommit })
    const { rows } = await database.pool.query('SELECT count(*)::int AS n FROM t')
    expect(end).to.include({ rowsCommitted: rows[0].n })
  })

  it('counts rows that an earlier run has written, and all bytes at the end', async () => {
    const path = await file('resumed.csv', ids(3000))
    await database.pool.query('ALTER TABLE t ADD CONSTRAINT bad CHECK (id <> 2222)')
    await blockedLoad(path, { batchSize: 1000, resume: 'x' }, async () => {})
    await database.pool.query('ALTER TABLE t DROP CONSTRAINT bad')
    const events = await blockedLoad(path, { batchSize: 1000, resume: 'x' }, async () => {})
    const size = ids(3000).length
    expect(events.at(-1)).to.include({ outcome: 'done', rowsSkipped: 2000, bytesCommitted: size })
  })
})
