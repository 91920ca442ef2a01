import { readFile, rm } from 'node:fs/promises'
import { expect } from 'chai'
import { run } from '../support.ts'
import { usePriced } from './priced.ts'

interface Letter {
  readonly code: string
  readonly sqlstate: string | null
  readonly message: string
  readonly source_partition: string
  readonly source_offset: string
  readonly row: Record<string, string>
}

describe('pg-batch load --workers', () => {
  const { database, file, env, load, csv, stored, storedByOne } = usePriced()

  describe('rejects', () => {
    /** Rows that the server refuses, that no column takes, that are ragged, and that are malformed. */
    const faulty = (rows: number) =>
      csv(rows)
        .replace('\n150,', '\nx150,')
        .replace('\n301,', '\n301,1,2,3,')
        .replace(/\n407,[^\n]*\n/, '\n407,1,"a"b\n')
        .replace('\n777,', '\n777777777777,')

    const lettersOf = async (path: string) => {
      const text = await readFile(path, 'utf8')
      const letters = text
        .split('\n')
        .filter(Boolean)
        .map(each => JSON.parse(each) as Letter)
      return letters
        .map(({ code, sqlstate, message, source_partition, source_offset, row }) => ({
          ...{ code, sqlstate, message, source_partition, source_offset, row },
        }))
        .sort((a, b) => Number(a.source_offset) - Number(b.source_offset))
    }

    for (const more of [[], ['--resume', 'kept']]) {
      it(`keeps the same rows as one thread, ${more[0] ?? 'without --resume'}`, async () => {
        await database.pool.query(
          `DROP TABLE IF EXISTS pg_batch_resume, pg_batch_checkpoint, pg_batch_rejects;
           ALTER TABLE t ADD CHECK (id <> 620)`,
        )
        const path = await file('faulty.csv', faulty(1000))
        const kept = await file('kept.ndjson', '')
        await rm(kept)
        const [word, name] = more
        const named = (workers: string) => (word ? [word, `${name}${workers}`] : [])
        const expected = await storedByOne(path, '--rejects', kept, ...named('1'))
        const letters = await lettersOf(kept)
        expect(letters.map(({ source_offset }) => Number(source_offset))).to.have.lengthOf(5)
        await rm(kept)
        const { status, stdout, stderr } = await load(
          ...[path, '--workers', '3', '--rejects', kept, ...named('3'), '--summary'],
        )
        expect(status, stderr).to.equal(0)
        expect(stdout).to.contain('5 rejected')
        expect(stderr).to.match(/23514 .* check_violation, row 620 /)
        expect(await lettersOf(kept)).to.deep.equal(letters)
        expect(await stored()).to.deep.equal(expected)
      })
    }

    it('counts the rejected rows of all workers against one limit', async () => {
      await database.pool.query('ALTER TABLE t ADD CHECK (id % 100 <> 0)')
      const path = await file('limit.csv', csv(2000))
      const over = await load(path, '--workers', '3', '--reject-limit', '19')
      expect(over.stderr).to.match(/more than 19 rows would be rejected; [\d,]+ rows committed\n$/)
      expect(over.status).to.equal(1)
      const { rows } = await stored()
      const said = Number(/([\d,]+) rows committed\n$/.exec(over.stderr)![1]!.replaceAll(',', ''))
      expect(rows).to.equal(said)
      await database.pool.query('TRUNCATE t')
      const within = await load(path, '--workers', '3', '--reject-limit', '20')
      expect(within.stdout).to.match(/^t: 1,980 rows committed in 20 batches, 20 rejected/)
      expect(within.status).to.equal(0)
      await database.pool.query('TRUNCATE t')
      const share = await load(path, '--workers', '2', '--reject-limit', '0.5%')
      expect(share.stderr).to.match(/rows rejected, more than 0\.5%/)
      expect(share.status).to.equal(1)
    })

    it('rejects what does not fit inferred types and decimal commas', async () => {
      await database.pool.query('CREATE TABLE made (id int, price numeric)')
      const rows = Array.from({ length: 500 }, (_, i) => `${i + 1};${i},5\n`)
      rows[222] = '223;1.222,5\n'
      const path = await file('commas.csv', `id;price\n${rows.join('')}`)
      const kept = await file('commas.ndjson', '')
      await rm(kept)
      const words = ['--decimal-separator', ',', '--batch-size', '50', '--workers', '2', '--rejects', kept]
      const { status, stderr } = await run(['load', path, '-t', 'made', ...words], env())
      expect(status, stderr).to.equal(0)
      expect(await lettersOf(kept)).to.deep.include.members([
        {
          code: 'VALUE_NOT_ENCODABLE',
          sqlstate: null,
          message: `the value of "price" has a point, or two commas, and is no number with a decimal comma`,
          source_partition: path,
          source_offset: '223',
          row: { id: '223', price: '1.222,5' },
        },
      ])
      const { rows: sums } = await database.pool.query(
        'SELECT count(*)::int AS n, sum(price)::text AS sum FROM made',
      )
      expect(sums[0]).to.deep.equal({ n: 499, sum: String((499 * 500) / 2 - 222 + 499 * 0.5) })
    })
  })
})
