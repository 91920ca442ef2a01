import { PassThrough, Readable } from 'node:stream'
import { expect } from 'chai'
import { RowIntake } from '../../../../lib/cli/rows/row-intake.ts'

describe('RowIntake', () => {
  const rows = (count: number) => Array.from({ length: count }, (_, id) => ({ id }))

  it('passes on every row, in order, and counts them', async () => {
    const intake = new RowIntake(Readable.from(rows(1000)), { skip: 0, numbered: false })
    expect(await intake.toArray()).to.deep.equal(rows(1000))
    expect(intake.rowsRead).to.equal(1000)
    expect(intake.stopped).to.equal(false)
  })

  it('skips the first rows, and numbers the others by their place in the file', async () => {
    const intake = new RowIntake(Readable.from(rows(300)), { skip: 298, numbered: true })
    expect(await intake.toArray()).to.deep.equal([
      { row: { id: 298 }, number: 299 },
      { row: { id: 299 }, number: 300 },
    ])
    expect(intake.rowsRead).to.equal(300)
  })

  it('reads no further than its consumer does', async () => {
    const intake = new RowIntake(Readable.from(rows(10_000)), { skip: 0, numbered: false })
    intake.once('readable', () => {})
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    expect(intake.rowsRead).to.be.within(1, 100)
    intake.destroy()
  })

  it('ends early when it is stopped, also while it waits, and destroys its source', async () => {
    const source = new PassThrough({ objectMode: true })
    source.write({ id: 1 })
    const intake = new RowIntake(source, { skip: 0, numbered: false })
    const all: unknown[] = []
    for await (const row of intake) {
      all.push(row)
      setImmediate(() => expect(intake.stop()).to.equal(true))
    }
    expect(all).to.deep.equal([{ id: 1 }])
    expect(intake.stopped).to.equal(true)
    expect(source.destroyed).to.equal(true)
  })

  it('is not stopped once it has ended', async () => {
    const intake = new RowIntake(Readable.from(rows(2)), { skip: 0, numbered: false })
    await intake.toArray()
    expect(intake.stop()).to.equal(false)
    expect(intake.stopped).to.equal(false)
  })

  it('passes on the error of its source, after the rows before it', async () => {
    const failing = Readable.from(
      (function* () {
        yield { id: 1 }
        throw new Error('planted')
      })(),
    )
    const intake = new RowIntake(failing, { skip: 0, numbered: false })
    const error = await intake.toArray().catch(error => error)
    expect(error.message).to.equal('planted')
  })
})
