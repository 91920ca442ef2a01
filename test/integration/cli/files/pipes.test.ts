import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, open, readdir, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { commandLine, type Ended, start } from '../support.ts'

describe('pg-batch load, of pipes and sockets:', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(
      'DROP TABLE IF EXISTS t, made, pg_batch_resume, pg_batch_checkpoint; CREATE TABLE t (n int, x text)',
    ),
  )

  const environment = () => ({ DATABASE_URL: database.connectionString })
  const begin = (...words: string[]) => start(['load', ...words, '-t', 't'], environment())

  /** Runs a script of bash in which `$PG_BATCH` is the command. */
  function shell(script: string): Promise<Ended> {
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, ...environment(), PG_BATCH: commandLine() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', text => (output.stdout += text))
    child.stderr.on('data', text => (output.stderr += text))
    return new Promise(resolve => child.on('close', status => resolve({ status, ...output })))
  }

  async function fifo(name: string): Promise<string> {
    const path = await file(name, '')
    await unlink(path)
    execFileSync('mkfifo', [path])
    return path
  }

  /** True once the command has opened the file. */
  const hasOpen = (pid: number, path: string) => () =>
    readdirSync(`/proc/${pid}/fd`).some(fd => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === path
      } catch {
        return false // closed meanwhile
      }
    })

  const lines = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `${from + i},x\n`).join('')

  async function stored(table = 't'): Promise<{ rows: number; distinct: number }> {
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS rows, count(DISTINCT n)::int AS distinct FROM ${table}`,
    )
    return rows[0]
  }

  it('leaves a pipe alone that is named for the metrics', async () => {
    const [rows, pipe] = [await file('rows.csv', lines(1, 10)), await fifo('metrics')]
    const { status, stderr } = await begin(rows, '--no-header', '--metrics-file', pipe).ended
    expect(stderr).to.contain('metrics: metrics cannot be written (it is not a regular file)')
    expect(status).to.equal(0)
    expect((await stat(pipe)).isFIFO()).to.equal(true)
  })

  it('loads every row of two process substitutions', async () => {
    const rows = (from: number, to: number) => `<(seq ${from} ${to} | sed 's/$/,x/')`
    const words = `${rows(1, 100_000)} ${rows(100_001, 200_000)} -t t --no-header`
    const { status, stderr } = await shell(`$PG_BATCH load ${words}`)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal({ rows: 200_000, distinct: 200_000 })
  })

  it('loads several FIFOs that one program fills one after the other, with a file between', async () => {
    const [a, b] = [await fifo('a'), await fifo('b')]
    const between = await file('between.csv', lines(50_001, 50_010))
    const running = begin(a, between, b, '--no-header')
    await writeFile(a, lines(1, 50_000))
    await writeFile(b, lines(50_011, 60_000))
    const { status, stderr } = await running.ended
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal({ rows: 60_000, distinct: 60_000 })
  })

  it('names the pipe and the row of a mistake', async () => {
    const [a, b] = [await fifo('c'), await fifo('d')]
    const running = begin(a, b, '--no-header')
    await writeFile(a, '1,x\n')
    await writeFile(b, '2,x\nsecret,x\n')
    const { status, stderr } = await running.ended
    expect(status).to.equal(1)
    expect(stderr).to.contain(`${b}: row 2 (line 2): not a valid integer for "n" (22P02)`)
  })

  it('leaves no copy of a pipe behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipes-'))
    const script = '$PG_BATCH load <(echo 1,x) <(echo 2,y) -t t --no-header'
    const { status, stderr } = await shell(`export TMPDIR=${folder}; ${script}`)
    expect(status, stderr).to.equal(0)
    expect(await readdir(folder)).to.deep.equal([])
    await rmdir(folder)
    const missing = await shell(`export TMPDIR=${folder}; ${script}`)
    const line = `it cannot be kept in a temporary file in ${folder} (ENOENT); name another directory with TMPDIR`
    expect(missing.stderr)
      .to.match(/^pg-batch: \/dev\/fd\/\d+: /)
      .and.contain(line)
    expect(missing.status).to.equal(1)
  })

  it('reads /dev/stdin as it reads -: a pipe, a socket, a file or nothing', async () => {
    const path = await file('rows.csv', 'n,x\n1,a\n')
    for (const input of [`cat ${path} |`, `< ${path}`]) {
      const { status, stderr } = await shell(`${input} $PG_BATCH load /dev/stdin -t t`)
      expect(status, stderr).to.equal(0)
    }
    const socket = start(['load', '/dev/stdin', '-t', 't'], environment(), 'n,x\n3,c\n')
    expect((await socket.ended).status).to.equal(0)
    expect(await stored()).to.deep.equal({ rows: 3, distinct: 2 })
    const nothing = await shell('$PG_BATCH load /dev/null -t t --format csv')
    expect(nothing.stderr).to.equal('pg-batch: /dev/null: there is nothing in it, not even a header\n')
    expect(nothing.status).to.equal(1)
  })

  it('reads a pipe and a socket that are another file descriptor', async () => {
    const { status, stderr } = await shell(`$PG_BATCH load /dev/fd/7 -t t 7< <(echo n; echo 1)`)
    expect(status, stderr).to.equal(0)
    const child = spawn(
      process.execPath,
      [...commandLine().split(' ').slice(1), 'load', '/dev/fd/3', '-t', 't'],
      {
        env: { ...process.env, ...environment() },
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'], // sockets
      },
    )
    ;(child.stdio[3] as NodeJS.WritableStream).end('n\n2\n')
    let printed = ''
    child.stderr!.on('data', chunk => {
      printed += chunk
    })
    expect(await new Promise(resolve => child.on('close', resolve)), printed).to.equal(0)
    expect(await stored()).to.deep.equal({ rows: 2, distinct: 2 })
  })

  it('reads a pipe twice if types are inferred from all rows', async () => {
    const { status, stderr } = await shell(
      '$PG_BATCH load <(seq 1 5000; echo 2.5) -t made --create --infer all --no-header --type column_1=numeric',
    )
    expect(status, stderr).to.equal(0)
    expect((await database.pool.query('SELECT count(*)::int AS n FROM made')).rows).to.deep.equal([
      { n: 5001 },
    ])
  })

  it('resumes from a pipe with the same bytes, and refuses other bytes', async () => {
    const path = await fifo('resumed')
    const words = [path, '--resume', 'pipe', '--batch-size', '1000', '--no-header']
    await database.pool.query('ALTER TABLE t ADD CONSTRAINT bad CHECK (n <> 2222)')
    const first = begin(...words)
    await writeFile(path, lines(1, 3000))
    expect((await first.ended).status).to.equal(1)
    await database.pool.query('ALTER TABLE t DROP CONSTRAINT bad')
    const other = begin(...words)
    await writeFile(path, lines(1, 2999) + lines(4000, 4000))
    expect((await other.ended).stderr).to.match(/has changed since the load pipe began: it has other bytes/)
    const second = begin(...words)
    await writeFile(path, lines(1, 3000))
    const { status, stderr } = await second.ended
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal({ rows: 3000, distinct: 3000 })
  })

  it('writes the rows of a FIFO as they arrive', async () => {
    const path = await fifo('slow')
    const running = begin(path, '--format', 'csv', '--delimiter', ',')
    const writer = await open(path, 'w')
    await writer.write('n,x\n1,a\n')
    await until('the first row is in', async () => (await stored()).rows === 1)
    await writer.write('2,b\n')
    await until('the second row is in', async () => (await stored()).rows === 2)
    await writer.close()
    expect((await running.ended).status).to.equal(0)
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends at ${signal} while a FIFO has no writer yet, and while its writer is silent`, async () => {
      const [a, b] = [await fifo(`none-${signal}`), await fifo(`silent-${signal}`)]
      const expected = { SIGINT: 130, SIGTERM: 143 }[signal]
      for (const files of [[a], [b, a], [a, b]]) {
        const running = begin(...files)
        const last = files.at(-1)!
        for (const path of files) {
          await until(`${path} is open`, hasOpen(running.process.pid!, path))
          if (path !== last) await writeFile(path, 'n\n1\n')
        }
        running.process.kill(signal)
        const { status, stderr } = await running.ended
        expect(status, stderr).to.equal(expected)
      }
      const running = begin(b)
      const writer = await open(b, 'w')
      await writer.write('n')
      running.process.kill(signal)
      expect((await running.ended).status).to.equal(expected)
      await writer.close()
    })
  }

  it('refuses Parquet from a FIFO, with any name, without waiting for it', async () => {
    const path = await fifo('x.pipe')
    const named = await begin(path, '--format', 'parquet').ended
    expect(named.stderr).to.contain(`${path}: a Parquet file is read from its end, which a pipe cannot show`)
    const running = begin(path)
    await writeFile(path, Buffer.from('PAR1\x15\x04\x15'))
    expect((await running.ended).stderr).to.contain(`${path}: a Parquet file is read from its end`)
  })

  it('refuses a socket in a folder', async () => {
    const path = join(dirname(await file('y', '')), 'socket')
    const server = (await import('node:net')).createServer().listen(path)
    await new Promise(resolve => server.once('listening', resolve))
    const { status, stderr } = await begin(path).ended
    server.close()
    expect(stderr).to.contain(`${path}: it is a socket, not a file; have a program read it`)
    expect(status).to.equal(1)
  })
})
