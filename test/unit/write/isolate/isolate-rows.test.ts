import { expect } from 'chai'
import fc from 'fast-check'
import { PgBatchError } from '../../../../lib/errors.ts'
import {
  type EachWritten,
  isolateRows,
  type PieceFailure,
} from '../../../../lib/write/isolate/isolate-rows.ts'

/** A server that takes pieces of rows: it refuses a piece with a bad row, and may name the first one. */
function server(bad: ReadonlySet<number>, named: boolean, others: ReadonlySet<number> = new Set()) {
  const error = new PgBatchError('REFUSED', 'refused', { outcome: 'rolled-back' })
  const stored: number[] = []
  let rowsSent = 0
  let eachSent = 0
  return {
    stored,
    get rowsSent() {
      return rowsSent
    },
    async write(from: number, to: number): Promise<PieceFailure | undefined> {
      rowsSent += to - from
      for (let row = from; row < to; row++) {
        if (bad.has(row)) return { error, at: named ? row : undefined }
      }
      for (let row = from; row < to; row++) stored.push(row)
      return undefined
    },
    /** Takes at most seven rows at once, and none where a row needs a statement of another kind. */
    async writeEach(from: number, to: number): Promise<EachWritten> {
      eachSent++
      const refused = new Map<number, PgBatchError>()
      let row = from
      for (; row < Math.min(to, from + 7) && !others.has(row); row++) {
        rowsSent++
        if (bad.has(row)) refused.set(row, error)
        else stored.push(row)
      }
      return { to: row, refused }
    },
    get eachSent() {
      return eachSent
    },
    /** What an attempt at all rows reports. */
    async attempt(count: number): Promise<PieceFailure> {
      const failure = await this.write(0, count)
      if (!failure) throw new Error('nothing is bad')
      return failure
    },
  }
}

/** @param pieceOnly rows that cannot go one by one; undefined: none can */
async function isolate(
  count: number,
  bad: ReadonlySet<number>,
  named: boolean,
  pieceOnly?: ReadonlySet<number>,
) {
  const target = server(bad, named, pieceOnly)
  const first = await target.attempt(count)
  const rejected: number[] = []
  await isolateRows({
    count,
    first,
    write: (from, to) => target.write(from, to),
    writeEach: pieceOnly && ((from, to) => target.writeEach(from, to)),
    reject: index => rejected.push(index),
  })
  const { stored, rowsSent, eachSent } = target
  return { stored, rejected, rowsSent, eachSent }
}

function everyNth(count: number, bad: number): Set<number> {
  return new Set(Array.from({ length: bad }, (_, index) => Math.floor(((index + 0.5) * count) / bad)))
}

describe('isolateRows', () => {
  it('stores every good row once, in order, and rejects every bad one, in order, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(299), { minLength: 1 }),
        fc.boolean(),
        async (count, indexes, named) => {
          const bad = new Set(indexes.map(index => index % count))
          const { stored, rejected } = await isolate(count, bad, named)
          const rows = Array.from({ length: count }, (_, index) => index)
          expect(stored).to.deep.equal(rows.filter(row => !bad.has(row)))
          expect(rejected).to.deep.equal(rows.filter(row => bad.has(row)))
        },
      ),
      { numRuns: 300, seed: 20261123 },
    )
  })

  it('does the same where small pieces go row by row, and some rows cannot', async () => {
    let eachSent = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.nat(599), { minLength: 1, maxLength: 400 }),
        fc.array(fc.nat(599), { maxLength: 20 }),
        fc.boolean(),
        async (count, indexes, otherIndexes, named) => {
          const bad = new Set(indexes.map(index => index % count))
          const result = await isolate(count, bad, named, new Set(otherIndexes))
          const rows = Array.from({ length: count }, (_, index) => index)
          expect(result.stored).to.deep.equal(rows.filter(row => !bad.has(row)))
          expect(result.rejected).to.deep.equal(rows.filter(row => bad.has(row)))
          eachSent += result.eachSent
        },
      ),
      { numRuns: 300, seed: 20261123 },
    )
    expect(eachSent).to.be.above(1000)
  })

  for (const bad of [1, 10, 100, 1000, 2500, 5000, 9999, 10_000]) {
    it(`sends fewer than three times 10,000 rows when ${bad} spread ones are bad and named`, async () => {
      const { rowsSent, rejected } = await isolate(10_000, everyNth(10_000, bad), true)
      expect(rejected).to.have.length(bad)
      expect(rowsSent).to.be.below(30_000)
    })
  }

  it('sends fewer than three times the rows when bad ones come in bursts of any length', async () => {
    let worst = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ good: fc.nat(1500), bad: fc.integer({ min: 1, max: 400 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        async bursts => {
          const bad = new Set<number>()
          let count = 0
          for (const burst of bursts) {
            count += burst.good
            for (let i = 0; i < burst.bad; i++) bad.add(count++)
          }
          const { rowsSent } = await isolate(count, bad, true)
          worst = Math.max(worst, rowsSent / count)
          expect(rowsSent / count).to.be.below(3)
        },
      ),
      { numRuns: 300, seed: 20261123 },
    )
    expect(worst).to.be.above(1)
  })

  it('finds one unnamed bad row among 10,000 by halving, for less than four times the rows', async () => {
    const { rowsSent, rejected } = await isolate(10_000, new Set([6789]), false)
    expect(rejected).to.deep.equal([6789])
    expect(rowsSent).to.be.below(40_000)
  })

  it('continues when the row that the first attempt named is no longer refused', async () => {
    const stored: number[] = []
    const error = new PgBatchError('REFUSED', 'refused', { outcome: 'rolled-back' })
    const rejected: number[] = []
    let healed = false
    await isolateRows({
      count: 10,
      first: { at: 5, error },
      write: async (from, to) => {
        if (!healed) {
          healed = true
          return { at: 2, error }
        }
        for (let row = from; row < to; row++) stored.push(row)
        return undefined
      },
      reject: index => rejected.push(index),
    })
    expect([...stored, ...rejected].sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
