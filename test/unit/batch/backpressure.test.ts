import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { collect, eventsOf, range, settle, writeAll } from './support.ts'

describe('BatchTransform: backpressure', () => {
  it('holds one closed batch for a stopped consumer, and withholds the callback of the second', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    const accepted: number[] = []
    for (const item of range(1, 8)) stream.write(item, () => accepted.push(item))
    await settle()
    expect(accepted).to.deep.equal([1, 2, 3, 4, 5])
    expect(stream.readableLength).to.equal(1)
    expect(stream.read()).to.deep.equal([1, 2, 3])
    await settle()
    expect(accepted).to.deep.equal(range(1, 8))
    stream.destroy()
  })

  it('holds at most two batches and 16 items of an endless source for a stopped consumer', async () => {
    let read = 0
    const source = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        this.push(++read)
      },
    })
    const stream = new BatchTransform<number>({ maxCount: 10 })
    const discarded: number[] = []
    const piped = pipeline(source, stream, new Writable({ objectMode: true, highWaterMark: 1, write() {} }))
    const failed = piped.catch((error: Error) => error)
    for (let turn = 0; turn < 100; turn++) await settle()
    // One batch is with the consumer, whose write never ends; it took no second one.
    const held = 2 * 10 + 16
    expect(read).to.be.within(10 + 2 * 10, 10 + held + 2)
    stream.on('close', () => discarded.push(0)).destroy(new Error('enough'))
    expect(await failed).to.have.property('message', 'enough')
  })

  it('says "write no more" once a full batch cannot leave, and "drain" when it has', async () => {
    const stream = new BatchTransform<number>({ maxCount: 2 })
    let written = 0
    while (stream.write(written++));
    expect(written).to.be.at.most(2 * 2 + 15)
    const drained = once(stream, 'drain')
    const batches = collect(stream)
    await drained
    await settle()
    expect(batches.flat()).to.deep.equal(range(0, 2 * Math.floor(written / 2) - 1))
    stream.destroy()
  })

  it('never has two closed batches of its own in the queue, however many are due', async () => {
    const stream = new BatchTransform<number>({ maxCount: 2 })
    writeAll(stream, [1, 2, 3])
    stream.flush()
    stream.end()
    await settle()
    expect(stream.readableLength).to.equal(1)
    expect(stream.writableFinished).to.equal(false)
    expect(stream.read()).to.deep.equal([1, 2])
    expect(stream.readableLength).to.equal(1)
    expect(stream.read()).to.deep.equal([3])
    await once(stream, 'end')
    expect(stream.writableFinished).to.equal(true)
  })

  it('holds an item that no longer fits until downstream takes the batch before it', async () => {
    const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: size => size })
    const accepted: number[] = []
    const events = eventsOf(stream)
    for (const size of [10, 6, 5, 1]) stream.write(size, () => accepted.push(size))
    await settle()
    expect(accepted).to.deep.equal([10, 6])
    expect(stream.read()).to.deep.equal([10])
    await settle()
    expect(accepted).to.deep.equal([10, 6, 5, 1])
    stream.end()
    expect(stream.read()).to.deep.equal([6])
    expect(stream.read()).to.deep.equal([5, 1])
    expect(events.map(event => [event.bytes, event.trigger])).to.deep.equal([
      [10, 'bytes'],
      [6, 'bytes'],
      [6, 'end'],
    ])
  })

  it('holds back heavy items one by one, since each is a batch of its own', async () => {
    const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: size => size })
    const accepted: number[] = []
    for (const size of [6, 20, 30, 40]) stream.write(size, () => accepted.push(size))
    stream.end()
    const batches: unknown[] = []
    for (const expected of [[6], [6, 20], [6, 20, 30], [6, 20, 30, 40]]) {
      await settle()
      expect(stream.readableLength).to.equal(1)
      batches.push(stream.read())
      await settle()
      expect(accepted).to.deep.equal(
        expected.length < 4 ? range(0, expected.length).map(i => [6, 20, 30, 40][i]) : expected,
      )
    }
    expect(batches).to.deep.equal([[6], [20], [30], [40]])
  })

  it('fills batches while a slow consumer is busy, so that the timer makes none smaller', async () => {
    const stream = new BatchTransform<number>({ maxCount: 100, maxWaitMs: 1 })
    const sizes: number[] = []
    await pipeline(
      Readable.from(range(1, 1000)),
      stream,
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(batch: number[], _encoding, callback) {
          sizes.push(batch.length)
          setTimeout(callback, 5)
        },
      }),
    )
    expect(sizes.reduce((a, b) => a + b)).to.equal(1000)
    // One may leave by time before the consumer is busy, and the last takes the rest.
    expect(sizes.slice(2, -1).every(size => size === 100)).to.equal(true)
  })

  it('passes everything on, in order, to a consumer that stops and continues', async () => {
    const stream = new BatchTransform<number>({ maxCount: 7 })
    const items: number[] = []
    stream.on('data', batch => {
      items.push(...batch)
      stream.pause()
      setImmediate(() => stream.resume())
    })
    await Promise.all([once(stream, 'end'), pipeline(Readable.from(range(1, 500)), stream)])
    expect(items).to.deep.equal(range(1, 500))
  })
})
