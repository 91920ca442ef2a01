import { appendFile, utimes, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { run } from '../support.ts'
import { useEvents } from './events.ts'

describe('pg-batch load --resume', () => {
  const { database, file, env, load, csv, stored, exactly } = useEvents()

  describe('refuses in one line', () => {
    let path: string
    beforeEach(async () => {
      path = await file('input.csv', csv(2500))
      await database.pool.query('ALTER TABLE events ADD CHECK (id <> 2500)')
      expect((await load(path, 'one')).status).to.equal(1)
    })

    async function expectRefusal(
      line: RegExp,
      words = [path, '-t', 'events', '--resume', 'one', '--batch-size', '1000'],
    ) {
      const { status, stdout, stderr } = await run(['load', ...words], env())
      expect(stderr)
        .to.match(line)
        .and.match(/^pg-batch: [^\n]+\n$/)
      expect(stdout).to.equal('')
      expect(status).to.be.oneOf([1, 2])
      expect((await stored()).rows).to.equal(2000)
    }

    it('a file that has grown', async () => {
      await appendFile(path, '2501,x\n')
      await expectRefusal(
        /has changed since the load one began: it had \d+ bytes and has \d+; its first 2,000 rows were/,
      )
    })

    it('a file that begins with other bytes', async () => {
      await writeFile(path, csv(2500).replace('row 1,', 'ROW 1,'))
      await expectRefusal(/it begins with other bytes/)
    })

    it('a file that was written to', async () => {
      await utimes(path, 1, 1)
      await expectRefusal(/it was written to/)
    })

    it('rows that are counted as written, of a load that is not known', async () => {
      await database.pool.query('DELETE FROM pg_batch_resume')
      const line =
        /pg_batch_checkpoint has 2,000 rows of these files as written, but pg_batch_resume does not have this/
      await expectRefusal(line)
      await expectRefusal(line)
      const { stderr } = await load(path, 'one')
      await database.pool.query('TRUNCATE events; ALTER TABLE events DROP CONSTRAINT events_id_check')
      await database.pool.query(/run: (DELETE FROM .*?)(?:; nothing committed)?\n/.exec(stderr)![1]!)
      expect((await load(path, 'one')).status).to.equal(0)
      expect(await stored()).to.deep.equal(exactly(2500))
    })

    it('another file, table or format of the same name', async () => {
      const other = await file('other.csv', csv(1))
      await expectRefusal(/--resume one is the load of .*input\.csv; use another name for/, [
        other,
        '-t',
        'events',
        '--resume',
        'one',
      ])
      await expectRefusal(/loads into "public"\."events", not "public"\."other"/, [
        path,
        '-t',
        'other',
        '--resume',
        'one',
      ])
    })

    const changes: [title: string, words: string[], line: RegExp][] = [
      [
        '--null',
        ['--null', 'NA'],
        /a header; not csv, .*, a header, null "NA"; the same options continue the load; use another name for another load\n/,
      ],
      [
        '--columns',
        ['--columns', 'id'],
        /; not csv, .*, columns "id"; the same options continue the load; use/,
      ],
      [
        '--map',
        ['--map', 'note=note'],
        /; not csv, .*, map "note"="note"; the same options continue the load; use/,
      ],
      ['--quote', ['--quote', 'none'], /; not csv, .*, quote none; the same options continue the load; use/],
      [
        '--create',
        ['--create', '--type', 'id=text'],
        /; not csv, .*, types by --create, type "id"="text"; the same options continue the load; use/,
      ],
      [
        '--infer',
        ['--create', '--infer', 'all'],
        /; not csv, .*, types inferred from all rows \(--create\); the same options continue the load; use/,
      ],
    ]
    for (const [title, words, line] of changes) {
      it(`another ${title} than the load began with`, async () => {
        await expectRefusal(line, [path, '-t', 'events', '--resume', 'one', ...words])
      })
    }

    it('standard input', async () => {
      await expectRefusal(/--resume needs a file: standard input cannot be read again/, [
        '-',
        '-t',
        'events',
        '--resume',
        'two',
      ])
    })

    it('several connections', async () => {
      await expectRefusal(/leave out --concurrency/, [
        path,
        '-t',
        'events',
        '--resume',
        'one',
        '--concurrency',
        '2',
      ])
    })
  })
})
