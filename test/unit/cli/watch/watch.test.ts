import { Writable } from 'node:stream'
import { expect } from 'chai'
import sinon from 'sinon'
import { isOverLimit, parseRejectLimit, writerLimit } from '../../../../lib/cli/arguments/reject-limit.ts'
import { summaryTable } from '../../../../lib/cli/report/summary.ts'
import { clock, bytes as inBytes } from '../../../../lib/cli/terminal/units.ts'
import { barText, barWatcher } from '../../../../lib/cli/watch/bar.ts'
import { jsonWatcher } from '../../../../lib/cli/watch/json-log.ts'
import { lineWatcher, progressLine } from '../../../../lib/cli/watch/lines.ts'
import { etaMs, type LoadCounts, shareDone } from '../../../../lib/cli/watch/load-counts.ts'
import { metricsText } from '../../../../lib/cli/watch/metrics-file.ts'
import { PgBatchError } from '../../../../lib/errors.ts'

const counts: LoadCounts = {
  rowsRead: 1_240_000,
  rowsCommitted: 1_234_567,
  rowsUnchanged: 0,
  rowsRejected: 3,
  rowsSkipped: 0,
  batches: 1235,
  transactions: 99,
  retries: 0,
  bytesRead: 900,
  bytesTotal: 1000,
  bytesCommitted: 450,
  bytesToCommit: 1000,
  bytesSkipped: 0,
  bytesSent: 900,
  connections: 2,
  elapsedMs: 10_000,
}

describe('the progress bar', () => {
  it('shows share, rows, rate, time left, rejects and connections, at 80 columns and at 120', () => {
    expect(barText(counts, 80)).to.equal(
      '███████░░░░░░░░  45%  1,234,567 rows  123,457/s  0:12 left  3 rejected  2 conn',
    )
    expect(barText(counts, 120)).to.match(/^█{18}░{22} {2}45% {2}1,234,567 rows .* 2 conn$/)
  })

  it('is never wider than the terminal, and leaves out its last words first', () => {
    const large = { ...counts, rowsCommitted: 1e12, rowsSkipped: 1e12, rowsRejected: 1e9 }
    for (let columns = 20; columns <= 200; columns++) {
      expect(barText(large, columns).length).to.be.below(columns)
      expect(barText(counts, columns).length).to.be.below(columns)
    }
    expect(barText(counts, 60)).to.match(/ {2}0:12 left$/)
  })

  it('prints retries above it, is cleared at the end, and never hides the cursor or stops line wrapping', () => {
    const clock = sinon.useFakeTimers()
    try {
      let written = ''
      const terminal = new Writable({
        write(chunk, _encoding, done) {
          written += chunk
          done()
        },
      })
      const watcher = barWatcher(Object.assign(terminal, { isTTY: true, columns: 80 }) as never)
      watcher.begin({ source: 'a.csv', table: 'orders' }, () => counts)
      clock.tick(1000)
      expect(written).to.contain(barText(counts, 80))
      const error = new PgBatchError('CONNECTION', 'gone', { outcome: 'rolled-back' })
      watcher.retry({ error, attempt: 1, delayMs: 100 })
      watcher.end({ counts, reasons: [], outcome: 'done', error: undefined })
      const end = written.length
      clock.tick(10_000)
      expect(written).to.contain('orders: gone; trying again in 0.1 s (attempt 2)\n')
      expect(written.length).to.equal(end)
      expect(written.endsWith('\u001b[0J')).to.equal(true)
      for (const mode of ['25', '7']) expect(written).not.to.contain(`\u001b[?${mode}`)
    } finally {
      clock.restore()
    }
  })

  it('has 80 columns on a terminal that does not know its width', () => {
    const clock = sinon.useFakeTimers()
    try {
      let written = ''
      const terminal = new Writable({
        write(chunk, _encoding, done) {
          written += chunk
          done()
        },
      })
      const watcher = barWatcher(Object.assign(terminal, { isTTY: true, columns: 0 }) as never)
      watcher.begin({ source: 'a.csv', table: 'orders' }, () => counts)
      clock.tick(1000)
      watcher.end({ counts, reasons: [], outcome: 'done', error: undefined })
      expect(written).to.contain(barText(counts, 80))
    } finally {
      clock.restore()
    }
  })

  it('has no bar for a pipe, whose size is not known', () => {
    expect(barText({ ...counts, bytesTotal: undefined, bytesToCommit: undefined }, 80)).to.equal(
      '1,234,567 rows  123,457/s  3 rejected  2 conn',
    )
  })
})

describe('percent and time left', () => {
  it('count the bytes whose rows are committed, not those that were read', () => {
    for (const bytesRead of [450, 1000]) {
      expect(shareDone({ ...counts, bytesRead })).to.equal(0.45)
      expect(etaMs({ ...counts, bytesRead })).to.be.closeTo(12_222, 1)
    }
    expect(etaMs({ ...counts, bytesCommitted: 0 })).to.equal(undefined)
  })

  it('count what is still in flight after an interruption', () => {
    const stopped = { ...counts, bytesRead: 700, bytesToCommit: 600 }
    expect(shareDone(stopped)).to.equal(0.75)
    expect(etaMs(stopped)).to.be.closeTo(3_333, 1)
  })

  it('leave the rows of an earlier run out of the rate', () => {
    expect(etaMs({ ...counts, bytesSkipped: 400 })).to.equal(110_000)
    expect(etaMs({ ...counts, bytesSkipped: 450 })).to.equal(undefined)
  })
})

describe('lines of progress', () => {
  let fake: sinon.SinonFakeTimers
  beforeEach(() => {
    fake = sinon.useFakeTimers()
  })
  afterEach(() => fake.restore())

  const title = { source: 'a.csv', table: 'orders' }
  const end = { counts, reasons: [], outcome: 'done', error: undefined } as const

  it('are printed every five seconds, not for a shorter load, and not after the end', () => {
    const lines: string[] = []
    const watcher = lineWatcher(line => lines.push(line))
    watcher.begin(title, () => counts)
    fake.tick(4999)
    expect(lines).to.deep.equal([])
    fake.tick(5001)
    expect(lines).to.deep.equal(Array(2).fill(progressLine('orders', counts)))
    watcher.end(end)
    fake.tick(60_000)
    expect(lines.length).to.equal(2)
    expect(lines[0]).to.equal('orders: 45%, 1,234,567 rows committed, 123,457 rows/s, 0:12 left, 3 rejected')
  })

  it('report a retry', () => {
    const lines: string[] = []
    const details = { outcome: 'rolled-back', batchId: 3 } as const
    const error = new PgBatchError('CONNECTION', 'The connection failed: read ECONNRESET', details)
    const watcher = lineWatcher(line => lines.push(line))
    watcher.begin(title, () => counts)
    watcher.retry({ error, attempt: 1, delayMs: 420 })
    watcher.end(end)
    expect(lines).to.deep.equal([
      'orders: The connection failed: read ECONNRESET; trying again in 0.4 s (attempt 2)',
    ])
  })

  it('are JSON with --log json, retries included', () => {
    const lines: Record<string, unknown>[] = []
    const watcher = jsonWatcher(line => lines.push(JSON.parse(line)))
    watcher.begin(title, () => counts)
    const error = new PgBatchError('CONNECTION', 'gone', { outcome: 'rolled-back', sqlState: '57P01' })
    watcher.retry({ error, attempt: 1, delayMs: 7 })
    fake.tick(5000)
    watcher.end(end)
    expect(lines.map(line => line.event)).to.deep.equal(['start', 'retry', 'progress', 'end'])
    expect(lines[0]).to.deep.equal({
      time: '1970-01-01T00:00:00.000Z',
      event: 'start',
      ...title,
      bytesTotal: 1000,
    })
    expect(lines[1]).to.deep.include({ attempt: 1, delayMs: 7, code: '57P01' })
    expect(lines[2]).to.deep.include({ rowsCommitted: 1_234_567 })
  })
})

describe('the limit of rejected rows', () => {
  it('is a number of rows or a share', () => {
    expect(parseRejectLimit('10')).to.deep.equal({ rows: 10 })
    expect(parseRejectLimit('0.5%')).to.deep.equal({ percent: 0.5 })
    for (const wrong of ['', '-1', '1.5', '101%', '10 %', 'x', '1e3', '%']) {
      expect(parseRejectLimit(wrong), wrong).to.equal(undefined)
    }
  })

  it('is unlimited with --rejects alone, and zero without both options', () => {
    expect(writerLimit(undefined, false)).to.equal(0)
    expect(writerLimit(undefined, true)).to.equal(Number.POSITIVE_INFINITY)
    expect(writerLimit({ rows: 0 }, true)).to.equal(0)
    expect(writerLimit({ percent: 1 }, false)).to.equal(Number.POSITIVE_INFINITY)
  })

  it('compares a share from 1,000 rows on, and at the end', () => {
    const limit = { percent: 10 }
    expect(isOverLimit(limit, { rejected: 500, settled: 999, atEnd: false })).to.equal(false)
    expect(isOverLimit(limit, { rejected: 101, settled: 1000, atEnd: false })).to.equal(true)
    expect(isOverLimit(limit, { rejected: 100, settled: 1000, atEnd: false })).to.equal(false)
    expect(isOverLimit(limit, { rejected: 1, settled: 2, atEnd: true })).to.equal(true)
    expect(isOverLimit(limit, { rejected: 0, settled: 0, atEnd: true })).to.equal(false)
  })
})

describe('the summary', () => {
  it('fits 80 columns, with any names and numbers', () => {
    const reasons = Array.from({ length: 12 }, (_, i) => ({
      code: `22P0${i}`,
      name: 'invalid_character_value_for_cast_and_more_of_it',
      count: 1e8,
      exampleRow: 1e9,
    }))
    const table = summaryTable('a'.repeat(200), { ...counts, rowsRead: 1e10, rowsRejected: 1e9 }, reasons)
    const lines = table.split('\n')
    expect(Math.max(...lines.map(line => line.length))).to.be.at.most(80)
    expect(lines.length).to.be.below(24)
  })

  it('formats sizes and times for people', () => {
    expect([0, 999, 1000, 999_949, 1_234_567, 99_960_000, 5e12].map(inBytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.0 MB',
      '1.2 MB',
      '100 MB',
      '5.0 TB',
    ])
    expect([0, 65_000, 3_723_000].map(clock)).to.deep.equal(['0:00', '1:05', '1:02:03'])
  })
})

describe('the metrics', () => {
  it('escape the values of labels', () => {
    const text = metricsText({ source: 'a"\\\n.csv', table: 't' }, counts, new Map(), undefined)
    expect(text).to.contain('pg_batch_rows_read_total{table="t",source="a\\"\\\\\\n.csv"} 1240000\n')
    expect(text).to.contain('pg_batch_running{table="t",source="a\\"\\\\\\n.csv"} 1\n')
  })
})
