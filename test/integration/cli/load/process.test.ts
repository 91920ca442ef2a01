import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { numbered } from '../../../support/parquet.ts'
import { run as runProgram } from '../../../support/processes/run.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { commandLine, type Ended, runHere, runProcess } from '../support.ts'

/** Most tests run the command in their own process, from its sources. */
describe('pg-batch, in a process of its own, from the build,', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS orders, made, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE orders (id bigint PRIMARY KEY, note text, paid boolean);
      INSERT INTO orders VALUES (7, 'old')`),
  )

  const csv = 'id,note,paid\n1,"a, ""b""",t\n2,,f\n'
  const bad = 'id,paid\n1,t\n2,maybe\n3,f\n'
  const runs: [title: string, words: string, name?: string, content?: string | Buffer][] = [
    ['loads CSV', 'load FILE -t orders', 'a.csv', csv],
    ['loads standard input', 'load - -t orders', 'a.csv', csv],
    ['loads NDJSON', 'load FILE -t orders', 'a.ndjson', '{"id":1,"note":"a"}\n{"id":2,"paid":true}\n'],
    ['loads JSON', 'load FILE -t orders', 'a.json', '[{"id":1,"note":"a"},{"id":2,"paid":true}]'],
    ['loads Parquet', 'load FILE -t made --create', 'a.parquet', numbered(5, { codec: 'ZSTD' })],
    ['creates a table', 'load FILE -t made --create --key id', 'a.csv', csv],
    ['tries the rows', 'load FILE -t orders --dry-run', 'a.csv', csv],
    ['updates rows', 'load FILE -t orders --on-conflict id', 'a.csv', 'id,note\n7,new\n8,other\n'],
    ['replaces rows', 'load FILE -t orders --replace --allow-shrink', 'a.csv', csv],
    ['empties the table', 'load FILE -t orders --truncate --log json', 'a.csv', csv],
    ['loads in one transaction', 'load FILE -t orders --single-transaction --summary', 'a.csv', csv],
    ['resumes', 'load FILE -t orders --resume nightly', 'a.csv', csv],
    ['keeps bad rows', 'load FILE -t orders --rejects REJECTS', 'bad.csv', bad],
    ['replays', 'replay FILE -t orders', 'a.ndjson', '{"row":{"id":"1","note":"a"}}\n'],
    ['fails at a bad row', 'load FILE -t orders', 'bad.csv', bad],
    ['fails at a wrong header', 'load FILE -t orders', 'a.csv', 'id,nmae\n1,a\n'],
    ['fails without the file', 'load /no/such.csv -t orders'],
    ['refuses an unknown option', 'load a.csv -t a --tabel=a'],
    ['prints its help', 'help load'],
    // the built command has these texts in its first file
    ['prints the help of all commands', '--help'],
    ['prints its version', '-v'],
    ['prints completions', 'completion zsh'],
  ]
  for (const [title, words, name, content] of runs) {
    it(`${title}: ${words}`, async () => {
      const path = name === undefined ? '' : await file(name, content!)
      const here = await outcome(runHere, words, path)
      await database.pool.query("TRUNCATE orders; INSERT INTO orders VALUES (7, 'old')")
      await database.pool.query('DROP TABLE IF EXISTS made, pg_batch_resume, pg_batch_checkpoint')
      expect(await outcome(runProcess, words, path)).to.deep.equal(here)
      expect(here.stdout + here.stderr).to.not.equal('')
    })
  }

  it('fails with a message if its result cannot be printed, and not if its reader has ended', async function () {
    if (process.platform !== 'linux') this.skip() // elsewhere there is no /dev/full, a disk that is always full
    const path = await file('a.csv', csv)
    const shell = (line: string) =>
      runProgram('bash', ['-c', line], {
        cwd: '/',
        env: { ...process.env, DATABASE_URL: database.connectionString },
      })
    const load = `${commandLine()} load ${path} -t orders`
    const lost = await shell(`${load} > /dev/full`)
    expect(lost.stderr).to.match(
      /pg-batch: standard output cannot be written: ENOSPC: .*; rows that were loaded are committed\n$/,
    )
    expect(lost.status).to.equal(1)
    expect((await database.pool.query('SELECT count(*)::int FROM orders')).rows).to.deep.equal([{ count: 3 }])
    for (const line of [`${load} --dry-run --truncate`, `${commandLine()} --help`]) {
      const nothing = await shell(`${line} > /dev/full`)
      expect(nothing.status).to.equal(1)
      // once, and no word of a commit
      expect(nothing.stderr.match(/standard output.*/g)).to.deep.equal([
        'standard output cannot be written: ENOSPC: no space left on device, write',
      ])
    }
    const piped = await shell(`set -o pipefail; ${load} --dry-run --truncate | true`)
    expect(piped.status, piped.stderr).to.equal(0)
  })

  it('does without WebAssembly where a limit leaves too little address space, or says what it lacks', async function () {
    if (process.platform !== 'linux') this.skip() // elsewhere there is no such limit
    const limited = (line: string) =>
      runProgram('bash', ['-c', `ulimit -v 5000000; ${line}`], {
        cwd: '/',
        env: { ...process.env, DATABASE_URL: database.connectionString },
      })
    const load = async (name: string, content: string | Buffer) =>
      limited(`${commandLine()} load ${await file(name, content)} -t orders`)
    for (const [name, content] of [
      ['a.csv', 'id,note\n1,a\n'],
      ['a.ndjson', '{"id":2,"note":"a"}\n'],
      ['a.parquet', numbered(1, { from: 3, codec: 'UNCOMPRESSED' })],
    ] as const) {
      const loaded = await load(name, content)
      expect(loaded.status, loaded.stderr).to.equal(0)
    }
    expect((await database.pool.query('SELECT array_agg(id::int) AS ids FROM orders')).rows).to.deep.equal([
      { ids: [7, 1, 2, 3] },
    ])
    // newer versions of Node.js need less address space
    const memory = await limited(`${process.execPath} -e 'new WebAssembly.Memory({ initial: 1 })'`)
    // a frame of one block that is not packed
    const zstd = Buffer.concat([Buffer.from('28b52ffd200c610000', 'hex'), Buffer.from('id,note\n4,a\n')])
    for (const [name, content] of [
      ['packed.parquet', numbered(1, { from: 5, codec: 'SNAPPY' })],
      ['a.csv.zst', zstd],
    ] as const) {
      const packed = await load(name, content)
      expect(packed.status, packed.stderr).to.equal(memory.status)
      if (memory.status === 0) continue
      expect(packed.stderr).to.include('data cannot be unpacked: WebAssembly gets no memory; raise the limit')
    }
  })

  /** What a run prints and stores. */
  async function outcome(way: typeof runHere, words: string, path: string) {
    const rejects = `${path}.${way.name}`
    const put = (word: string) => word.replace('FILE', path).replace('REJECTS', rejects)
    const input = words.includes('load -') ? csv : ''
    const env = { DATABASE_URL: database.connectionString }
    const ended: Ended = await way(words.split(' ').map(put), env, input)
    // times, and the name of the file of rejects
    const plain = (text: string) =>
      text
        .replace(/[\d.,]+ (s|rows\/s) */g, '$1')
        .replace(/"time":"[^"]*"|"elapsedMs":\d+/g, '')
        .replaceAll(rejects, 'REJECTS')
    return {
      status: ended.status,
      stdout: plain(ended.stdout),
      stderr: plain(ended.stderr),
      rejects: existsSync(rejects),
      orders: (await database.pool.query('SELECT * FROM orders ORDER BY id')).rows,
      made: await rowsIfThere('made'),
    }
  }

  async function rowsIfThere(table: string): Promise<object[] | undefined> {
    const { rows } = await database.pool.query('SELECT to_regclass($1) IS NOT NULL AS found', [table])
    if (!rows[0].found) return undefined
    return (await database.pool.query(`SELECT * FROM ${table} ORDER BY 1`)).rows
  }
})
