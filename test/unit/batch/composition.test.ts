import { once } from 'node:events'
import { Duplex, Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import sinon from 'sinon'
import { chain } from 'stream-chain'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { range, settle, writeAll } from './support.ts'

const expected = [[1, 2, 3], [4, 5, 6], [7]]

/** A consumer that takes its time with each batch. */
const sinkOf = (batches: number[][]) =>
  new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(batch: number[], _encoding, callback) {
      batches.push(batch)
      setImmediate(callback)
    },
  })

describe('BatchTransform among other streams', () => {
  it('is a Transform', () => {
    const stream = new BatchTransform()
    expect(stream).to.be.instanceOf(Transform)
    expect(stream.writableObjectMode && stream.readableObjectMode).to.equal(true)
  })

  it('works in pipeline()', async () => {
    const batches: number[][] = []
    await pipeline(Readable.from(range(1, 7)), new BatchTransform<number>({ maxCount: 3 }), sinkOf(batches))
    expect(batches).to.deep.equal(expected)
  })

  it('works in pipeline() between generators', async () => {
    const batches: number[][] = []
    await pipeline(
      async function* () {
        yield* range(1, 7)
      },
      new BatchTransform<number>({ maxCount: 3 }),
      async (source: AsyncIterable<number[]>) => {
        for await (const batch of source) batches.push(batch)
      },
    )
    expect(batches).to.deep.equal(expected)
  })

  it('fails in pipeline() with the error of source, sink or signal, and discards what it holds', async () => {
    const source = (error?: Error) => {
      const items = range(1, 4)
      return new Readable({
        objectMode: true,
        read() {
          if (items.length > 0) this.push(items.shift())
          else if (error) this.destroy(error)
        },
      })
    }
    const broken = () =>
      new Writable({
        objectMode: true,
        write(_batch, _encoding, callback) {
          callback(new Error('sink'))
        },
      })
    const controller = new AbortController()
    const cases: [string, (stream: Transform) => Promise<void>][] = [
      ['source', stream => pipeline(source(new Error('source')), stream, sinkOf([]))],
      ['sink', stream => pipeline(source(), stream, broken())],
      [
        'The operation was aborted',
        stream => pipeline(source(), stream, sinkOf([]), { signal: controller.signal }),
      ],
    ]
    for (const [message, run] of cases) {
      const onDiscard = sinon.spy()
      const failed = run(new BatchTransform<number>({ maxCount: 3, onDiscard })).catch(error => error)
      await settle()
      await settle()
      if (message.endsWith('aborted')) controller.abort()
      expect(await failed).to.have.property('message', message)
      expect(onDiscard.args).to.deep.equal([[[4]]])
    }
  })

  it("works in stream-chain's chain()", async () => {
    const batches: number[][] = []
    const chained = chain([
      (item: number) => item * 2,
      new BatchTransform<number>({ maxCount: 3 }),
      (batch: number[]) => batch.map(item => item / 2),
    ])
    const written = pipeline(Readable.from(range(1, 7)), chained)
    for await (const batch of chained) batches.push(batch as number[])
    await written
    expect(batches).to.deep.equal(expected)
  })

  it('works with for await', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    writeAll(stream, range(1, 7))
    stream.end()
    const batches: number[][] = []
    for await (const batch of stream) batches.push(batch)
    expect(batches).to.deep.equal(expected)
  })

  it('discards what is held when a for await loop breaks off', async () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxCount: 3, onDiscard })
    writeAll(stream, range(1, 7))
    for await (const batch of stream) {
      expect(batch).to.deep.equal([1, 2, 3])
      break
    }
    await settle()
    expect(stream.destroyed).to.equal(true)
    expect(onDiscard.args).to.deep.equal([[[4, 5, 6, 7]]])
  })

  it('works through Writable.toWeb() and Readable.toWeb()', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    const writer = Writable.toWeb(stream).getWriter()
    const written = (async () => {
      for (const item of range(1, 7)) await writer.write(item)
      await writer.close()
    })()
    const batches: unknown[] = []
    for await (const batch of Readable.toWeb(stream)) batches.push(batch)
    await written
    expect(batches).to.deep.equal(expected)
  })

  it('works through Duplex.toWeb(), between web streams', async () => {
    const pair = Duplex.toWeb(new BatchTransform<number>({ maxCount: 3 }))
    const batches: unknown[] = []
    const source = new ReadableStream({
      start(controller) {
        for (const item of range(1, 7)) controller.enqueue(item)
        controller.close()
      },
    })
    await source.pipeThrough(pair).pipeTo(
      new WritableStream({
        write(batch) {
          batches.push(batch)
        },
      }),
    )
    expect(batches).to.deep.equal(expected)
  })

  it('works with pipe(), and with a consumer that reads when there is something to read', async () => {
    const stream = Readable.from(range(1, 7)).pipe(new BatchTransform<number>({ maxCount: 3 }))
    const batches: number[][] = []
    stream.on('readable', () => {
      for (let batch = stream.read(); batch !== null; batch = stream.read()) batches.push(batch)
    })
    await once(stream, 'end')
    expect(batches).to.deep.equal(expected)
  })

  it('works with a consumer that raises the high-water mark by read(n)', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    const batches: number[][] = []
    stream.on('readable', () => {
      for (let batch = stream.read(5); batch !== null; batch = stream.read(5)) batches.push(batch)
    })
    await pipeline(Readable.from(range(1, 100)), stream)
    expect(batches.flat()).to.deep.equal(range(1, 100))
  })

  it('works with a consumer that puts a batch back', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    writeAll(stream, range(1, 4))
    const first = stream.read()
    stream.unshift(first)
    writeAll(stream, range(5, 30))
    stream.end()
    const batches: number[][] = []
    for await (const batch of stream) batches.push(batch)
    expect(batches.flat()).to.deep.equal(range(1, 30))
  })
})
