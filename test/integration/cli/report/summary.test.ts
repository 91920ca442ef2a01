import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('what pg-batch load prints', () => {
  const database = useDatabase()
  const file = useFolder()
  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int)'))

  const bad = 'id,n\n1,1\n2,secret\n1,3\n4,secret\n5,5\n'
  const load = async (...words: string[]) =>
    run(['load', await file('t.csv', bad), '-t', 't', '--reject-limit', '9', ...words], {
      DATABASE_URL: database.connectionString,
    })

  it('is a table with --summary, with the count and name of each SQLSTATE, and an example', async () => {
    const { stderr, stdout, status } = await load('--summary')
    expect(status).to.equal(0)
    expect(stdout).to.match(/^t: 2 rows committed in 1 batch, 3 rejected, /)
    const cells = stderr.split('\n').map(line => line.split('│').map(cell => cell.trim()))
    const row = (name: string) => cells.find(line => line[1] === name)?.slice(2, 4)
    expect(row('rows read')).to.deep.equal(['5', ''])
    expect(row('committed')?.[0]).to.equal('2')
    expect(row('rejected')).to.deep.equal(['3', '60% of those read'])
    expect(row('22P02')).to.deep.equal(['2', 'invalid_text_representation, row 2'])
    expect(row('23505')).to.deep.equal(['1', 'unique_violation, row 3'])
    for (const name of ['unchanged', 'skipped', 'retries']) expect(row(name), name).to.equal(undefined)
    expect(row('batches')).to.deep.equal(['1', 'in 1 transaction'])
    expect(row('bytes')?.[0]).to.equal(`${bad.length} B`)
    expect(Math.max(...stderr.split('\n').map(line => line.length))).to.be.at.most(80)
  })

  it('is nothing with --quiet', async () => {
    expect(await load('--quiet')).to.deep.equal({ status: 0, stdout: '', stderr: '' })
  })

  it('is one JSON object a line with --log json, without a value', async () => {
    const { stderr, status } = await load('--log', 'json')
    expect(status).to.equal(0)
    expect(stderr).not.to.contain('secret')
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(line => line.event)).to.deep.equal(['start', 'reject', 'reject', 'reject', 'end'])
    expect(lines[0]).to.deep.include({ table: 't', bytesTotal: bad.length })
    const rejects = lines.slice(1, 4).sort((a, b) => a.row - b.row)
    expect(rejects.map(({ row, code, column }) => [row, code, column])).to.deep.equal([
      [2, '22P02', 'n'],
      [3, '23505', undefined],
      [4, '22P02', 'n'],
    ])
    expect(lines[4]).to.deep.include({ outcome: 'done', rowsRead: 5, rowsCommitted: 2, rowsRejected: 3 })
  })

  it('is only JSON if the load fails, too', async () => {
    const { stderr, stdout, status } = await load('--log', 'json', '--reject-limit', '1')
    const last = JSON.parse(stderr.trimEnd().split('\n').at(-1)!)
    expect(last).to.deep.include({ event: 'end', outcome: 'failed', rowsCommitted: 0 })
    expect(last.error).to.match(/more than 1 row would be rejected; nothing committed$/)
    expect({ stdout, status }).to.deep.equal({ stdout: '', status: 1 })
  })

  it('counts rows that were in the table already as unchanged, everywhere', async () => {
    const path = `${await file('metrics', '')}.prom`
    const again = ['--on-conflict', 'id', '--on-conflict-do', 'nothing', '--metrics-file', path]
    await load('--quiet')
    const { stdout, stderr } = await load('--summary', ...again)
    expect(stdout).to.match(/^t: 0 rows committed in 1 batch, 3 unchanged, 2 rejected, /)
    expect(stderr).to.match(/│ unchanged +│ +3 │ sent, without effect/)
    expect(await readFile(path, 'utf8')).to.match(/^pg_batch_rows_unchanged_total\{.*\} 3$/m)
    const json = (await load('--log', 'json', ...again)).stderr.trimEnd().split('\n').at(-1)!
    expect(JSON.parse(json)).to.include({ event: 'end', rowsCommitted: 0, rowsUnchanged: 3 })
  })

  it('is in a file for Prometheus with --metrics-file', async () => {
    const path = `${await file('metrics', '')}.prom`
    expect((await load('--metrics-file', path)).status).to.equal(0)
    const text = await readFile(path, 'utf8')
    expect(text).to.match(/^pg_batch_rows_committed_total\{table="t",source="[^"]+t\.csv"\} 2$/m)
    expect(text).to.match(/^pg_batch_rows_rejected_total\{.*,code="22P02"\} 2$/m)
    expect(text).to.match(/^pg_batch_running\{.*\} 0$/m)
    expect(text).to.match(/^pg_batch_succeeded\{.*\} 1$/m)
    // every line is a comment or a sample, as the format has it
    for (const line of text.trimEnd().split('\n')) {
      expect(line).to.match(/^(# (HELP|TYPE) pg_batch_\w+ .+|pg_batch_\w+\{(\w+="[^"]*",?)+\} \d+)$/)
    }
  })
})
