import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { from as copyFrom } from 'pg-copy-streams'
import { useFolder } from '../../../support/folder.ts'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { thorough } from '../../../support/thorough.ts'
import { until } from '../../../support/until.ts'
import { run, start } from '../support.ts'

const CHAIN = Math.max(20_000, thorough(100_000))

describe('pg-batch load into a table that refers to itself', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })
  const load = (path: string, ...words: string[]) => run(['load', path, '-t', 'tree', ...words], env())

  beforeEach(() =>
    database.pool.query(`DROP TABLE IF EXISTS leaf, tree, pg_batch_resume, pg_batch_checkpoint, pg_batch_rejects;
      CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, n int DEFAULT 7 CHECK (n > 0))`),
  )

  type Row = readonly [id: number, parent: number | '', n: number | string]
  const csv = (rows: readonly Row[]) => `id,parent,n\n${rows.map(row => row.join(',')).join('\n')}\n`

  async function stored(): Promise<unknown[]> {
    return (await database.pool.query('SELECT id, parent, n FROM tree ORDER BY id')).rows
  }

  /** What COPY, which \copy runs, stores of the same text. */
  async function copied(text: string): Promise<unknown[]> {
    const client = await database.pool.connect()
    try {
      await client.query('BEGIN')
      await pipeline(
        Readable.from([text]),
        client.query(copyFrom('COPY tree FROM STDIN (FORMAT csv, HEADER)')),
      )
      return (await client.query('SELECT id, parent, n FROM tree ORDER BY id')).rows
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  }

  const chain = (count: number) =>
    Array.from({ length: count }, (_, index): Row => [count - index, count - index - 1 || '', 1])

  for (const [title, words] of [
    ['', []],
    [' with --rejects', ['--rejects', '/dev/null']],
    [' with --resume', ['--resume', 'tree']],
    [' with --on-conflict', ['--on-conflict', 'id']],
    [' with --concurrency 4', ['--concurrency', '4']],
  ] as const) {
    it(`loads ${CHAIN} rows that come before their parents, as \\copy does${title}`, async () => {
      const text = csv(chain(CHAIN))
      const ended = await load(await file('reversed.csv', text), ...words)
      expect(ended.stdout, ended.stderr).to.include(
        `tree: ${CHAIN.toLocaleString('en')} rows committed in ${CHAIN / 5000} batches, `,
      )
      expect(ended.status).to.equal(0)
      const { rows } = await database.pool.query('SELECT count(*)::int, count(parent)::int AS p FROM tree')
      expect(rows).to.deep.equal([{ count: CHAIN, p: CHAIN - 1 }])
    })
  }

  it('stores what COPY stores of circles, random order and forward references, in small batches', async () => {
    const random = seededRandom(7)
    const rows = Array.from(
      { length: 3000 },
      (_, id): Row => [id, Math.floor(random.next() * 3000), 1 + (id % 5)],
    )
    rows.sort(() => random.next() - 0.5)
    const text = csv(rows)
    const expected = await copied(text)
    expect(expected).to.have.length(3000)
    const path = await file('random.csv', text)
    for (const words of [[], ['--rejects', '/dev/null'], ['--on-conflict', 'id']]) {
      const ended = await load(path, '--batch-size', '100', ...words)
      expect(ended.status, ended.stderr).to.equal(0)
      expect(await stored()).to.deep.equal(expected)
      await database.pool.query('TRUNCATE tree')
    }
  })

  it('loads JSON rows with different keys in reverse order', async () => {
    const text = chain(2000).map(([id, parent, n]) =>
      JSON.stringify(id % 3 ? { id, ...(parent && { parent }) } : { id, n, parent }),
    )
    const path = await file('reversed.ndjson', text.join('\n'))
    const ended = await load(path, '--batch-size', '100')
    expect(ended.stdout, ended.stderr).to.match(/^tree: 2,000 rows committed /)
  })

  it('keeps the last row of a key with --on-conflict, whichever of them waits for its parent', async () => {
    const rows: Row[] = [[1, 9, 1], ...chain(5).map(([id]): Row => [id + 10, '', 1]), [1, '', 2], [9, '', 1]]
    const path = await file('twice.csv', csv(rows))
    await load(path, '--batch-size', '1', '--on-conflict', 'id')
    expect((await stored())[0]).to.deep.equal({ id: 1, parent: null, n: 2 })
  })

  it('without --rejects names the row whose parent is nowhere, and what to do', async () => {
    const rows: Row[] = [...chain(500), [600, 700, 1], ...chain(400).map(([id]): Row => [id + 1000, '', 1])]
    const path = await file('orphan.csv', csv(rows))
    const ended = await load(path, '--batch-size', '100')
    expect(ended.stderr).to.equal(
      `pg-batch: ${path}: row 501 (line 502): insert or update on table "tree" violates foreign key constraint ` +
        '"tree_parent_fkey" (23503); the row that it refers to is neither in the table nor in the file; ' +
        '--rejects FILE keeps such rows and loads the others; nothing committed\n',
    )
    expect(ended.status).to.equal(1)
  })

  it('names the table that has to be loaded first, if the parent is in another one', async () => {
    await database.pool.query('CREATE TABLE leaf (id int, tree int REFERENCES tree)')
    const path = await file('leaf.csv', 'id,tree\n1,5\n')
    const ended = await run(['load', path, '-t', 'leaf'], env())
    expect(ended.stderr).to.contain(
      '(23503); the row that it refers to is not in "tree", which has to be loaded first; --rejects FILE ',
    )
  })

  for (const resumed of [[], ['--resume', 'again']]) {
    it(`rejects with --rejects ${resumed.join(' ')} bad rows, and those that refer to them, and no others`, async () => {
      const bad: Row[] = [
        [2001, 9999, 1], // no such row
        [2002, 2001, 1],
        [2003, 2004, 1], // a circle, one of which is bad
        [2004, 2003, 0],
        [2005, '', 'x'],
      ]
      const good = chain(1000)
      const rows = good.flatMap((row, index) => [
        row,
        ...(index % 200 === 99 ? [bad[Math.floor(index / 200)]!] : []),
      ])
      const path = await file('bad.csv', csv(rows))
      const rejects = `${path}.${resumed.length}.ndjson`
      const ended = await load(path, '--batch-size', '50', '--rejects', rejects, ...resumed)
      expect(ended.stdout, ended.stderr).to.match(/^tree: 1,000 rows committed in \d+ batches, 5 rejected, /)
      expect(await stored()).to.have.length(1000)
      const lines = (await readFile(rejects, 'utf8')).trim().split('\n')
      const letters = lines.map(line => JSON.parse(line))
      expect(
        letters.map(({ sqlstate, source_offset, row }) => [row.id, sqlstate, source_offset]),
      ).to.have.deep.members(
        bad.map(([id, , n]) => [
          String(id),
          n === 0 ? '23514' : n === 'x' ? '22P02' : '23503',
          String(rows.findIndex(row => row[0] === id) + 1),
        ]),
      )
    })
  }

  for (const words of [[], ['--on-conflict', 'id']]) {
    it(`rejects the same rows in one transaction, and tries them in a dry run ${words.join(' ')}`, async () => {
      const random = seededRandom(3)
      const rows = chain(166).map(([id]): Row => {
        const parent = id === 1 || id % 20 === 0 ? '' : id - 1 - Math.floor(random.next() * (id % 20))
        return [id, id === 20 ? 9999 : parent, id === 90 ? 0 : id === 91 ? 'x' : 1]
      })
      const path = await file('one.csv', csv(rows))
      const outcome = async (...more: string[]) => {
        const rejects = `${path}${more}${words}.ndjson`
        const { stdout } = await load(path, '--batch-size', '7', '--rejects', rejects, ...words, ...more)
        const [written, rejected] = [
          /([\d,]+) (?:rows committed|would be written)/,
          /(\d+) (?:would be )?rejected/,
        ]
        return [written, rejected].map(pattern => pattern.exec(stdout)?.[1])
      }
      const tried = await outcome('--dry-run=all')
      const whole = await outcome('--single-transaction')
      const storedAtOnce = await stored()
      await database.pool.query('TRUNCATE tree')
      const ordinary = await outcome()
      expect([tried, whole]).to.deep.equal([ordinary, ordinary])
      expect(await stored()).to.deep.equal(storedAtOnce)
    })
  }

  it('writes the rows whose parent was refused, if that is in the table already, or comes twice', async () => {
    await database.pool.query('INSERT INTO tree VALUES (1), (2)')
    const rows: Row[] = [
      [1, '', 5], // is there
      [2, '', 0], // is there, and bad
      [10, 1, 1],
      [11, 2, 1],
      [20, '', 0],
      [21, 20, 1], // its parent is bad, and then good
      [20, '', 1],
      [30, 99, 1],
      [31, 30, 1],
      [32, 31, 1],
      [33, 31, 'x'],
      [34, 33, 1],
    ]
    const rejects = `${await file('unused', '')}.twice.ndjson`
    const ended = await load(await file('twice-there.csv', csv(rows)), '--rejects', rejects)
    expect(ended.status, ended.stderr).to.equal(0)
    const ids = (await stored()).map(row => (row as { id: number }).id)
    expect(ids).to.deep.equal([1, 2, 10, 11, 20, 21])
    const letters = (await readFile(rejects, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(letters.map(({ row, sqlstate }) => `${row.id} ${sqlstate}`)).to.deep.equal([
      '1 23505',
      '2 23514',
      '20 23514',
      '30 23503',
      '31 23503',
      '32 23503',
      '33 22P02',
      '34 23503',
    ])
  })

  it('killed while rows wait for their parents, continues with --resume, and stores each row once', async () => {
    const roots = Array.from({ length: 110_000 }, (_, index): Row => [index + 5000, '', 1])
    const path = await file('killed.csv', csv([...roots, ...chain(2000)]))
    const blocker = await database.pool.connect()
    try {
      await blocker.query('BEGIN; INSERT INTO tree VALUES (3)')
      const words = ['load', path, '-t', 'tree', '--resume', 'killed']
      const running = start(words, env())
      await until(
        'the load waits for the key of another transaction',
        async () => {
          const { rows } = await database.pool.query(
            `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg-batch' AND wait_event_type = 'Lock'`,
          )
          return rows.length > 0
        },
        20_000,
      )
      running.process.kill('SIGKILL')
      await running.ended
      await blocker.query('ROLLBACK')
    } finally {
      blocker.release()
    }
    const before = (await stored()).length
    expect(before).to.be.within(1, 110_000)
    const ended = await load(path, '--resume', 'killed')
    expect(ended.status, ended.stderr).to.equal(0)
    expect(ended.stderr).to.contain(`continuing after row ${before.toLocaleString('en')}`)
    expect(await stored()).to.have.length(112_000)
  })

  it('stopped while rows wait for their parents, rejects none of them', async () => {
    const rejects = `${await file('unused', '')}.ndjson`
    const running = start(['load', '-', '-t', 'tree', '--rejects', rejects], env())
    running.process.stdin!.write(csv(chain(20_000)).slice(0, -100)) // the root is among what is cut off
    await until(
      'the first attempt is rolled back',
      async () => {
        const { rows } = await database.pool.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg-batch' AND state = 'idle' AND query ~ 'ROLLBACK|pg_current_xact_id_if_assigned'`,
        )
        return rows.length > 0
      },
      20_000,
    )
    running.process.kill('SIGINT')
    const ended = await running.ended
    expect(ended.status, ended.stderr).to.equal(130)
    expect(await readFile(rejects, 'utf8').catch(() => '')).to.equal('')
  })
})
