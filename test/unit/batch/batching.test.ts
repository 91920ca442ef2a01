import { expect } from 'chai'
import type { BatchTransformOptions } from '../../../lib/batch/batch-options.ts'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { batchesOf, collect, eventsOf, range, settle, writeAll } from './support.ts'

const length = (item: string) => item.length

describe('BatchTransform: what goes into a batch', () => {
  it('groups items by maxCount, in order, and sends the rest as one batch at the end', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3 })
    const events = eventsOf(stream)
    expect(await batchesOf(stream, range(1, 7))).to.deep.equal([[1, 2, 3], [4, 5, 6], [7]])
    expect(events.map(event => event.trigger)).to.deep.equal(['count', 'count', 'end'])
  })

  it('takes 1000 items to a batch by default', async () => {
    const batches = await batchesOf(new BatchTransform<number>(), range(1, 2500))
    expect(batches.map(batch => batch.length)).to.deep.equal([1000, 1000, 500])
  })

  it('closes batches by bytes alone with maxCount Infinity', async () => {
    const stream = new BatchTransform<number>({ maxCount: Infinity, maxBytes: 2500, sizeOf: () => 1 })
    const events = eventsOf(stream)
    const batches = await batchesOf(stream, range(1, 6000))
    expect(batches.map(batch => batch.length)).to.deep.equal([2500, 2500, 1000])
    expect(events.map(event => event.trigger)).to.deep.equal(['bytes', 'bytes', 'end'])
  })

  it('makes batches of one with maxCount 1', async () => {
    expect(await batchesOf(new BatchTransform<number>({ maxCount: 1 }), [1, 2])).to.deep.equal([[1], [2]])
  })

  it('never sends an empty batch: not at an empty end, nor at an end right after a full one', async () => {
    expect(await batchesOf(new BatchTransform<number>(), [])).to.deep.equal([])
    expect(await batchesOf(new BatchTransform<number>({ maxCount: 2 }), [1, 2])).to.deep.equal([[1, 2]])
  })

  it('closes the batch before an item that would exceed maxBytes', async () => {
    const stream = new BatchTransform<string>({ maxBytes: 5, sizeOf: length })
    const events = eventsOf(stream)
    expect(await batchesOf(stream, ['aa', 'bb', 'cc', 'd'])).to.deep.equal([
      ['aa', 'bb'],
      ['cc', 'd'],
    ])
    expect(events.map(({ count, bytes, trigger }) => ({ count, bytes, trigger }))).to.deep.equal([
      { count: 2, bytes: 4, trigger: 'bytes' },
      { count: 2, bytes: 3, trigger: 'end' },
    ])
  })

  it('closes the batch with the item that reaches exactly maxBytes', () => {
    const stream = new BatchTransform<string>({ maxBytes: 4, sizeOf: length })
    const batches = collect(stream)
    writeAll(stream, ['aa', 'bb'])
    expect(batches).to.deep.equal([['aa', 'bb']])
    stream.destroy()
  })

  it('lets an item larger than maxBytes travel alone, at once', () => {
    const stream = new BatchTransform<string>({ maxBytes: 3, sizeOf: length })
    const batches = collect(stream)
    writeAll(stream, ['a', 'heavy', 'b', 'bb', ''])
    expect(batches).to.deep.equal([['a'], ['heavy'], ['b', 'bb']])
    stream.destroy()
  })

  it('lets an item larger than maxBytes travel alone also after items of size 0', async () => {
    const stream = new BatchTransform<string>({ maxBytes: 3, sizeOf: length })
    expect(await batchesOf(stream, ['', 'heavy', ''])).to.deep.equal([[''], ['heavy'], ['']])
  })

  it('counts items of size 0 by maxCount', async () => {
    const stream = new BatchTransform<string>({ maxCount: 2, maxBytes: 3, sizeOf: length })
    expect(await batchesOf(stream, ['', '', ''])).to.deep.equal([['', ''], ['']])
  })

  it('asks sizeOf once for each item', async () => {
    const asked: string[] = []
    const sizeOf = (item: string) => {
      asked.push(item)
      return item.length
    }
    await batchesOf(new BatchTransform<string>({ maxBytes: 3, sizeOf }), ['aa', 'bb', 'heavy', 'c'])
    expect(asked).to.deep.equal(['aa', 'bb', 'heavy', 'c'])
  })

  it('reports bytes with sizeOf alone, and 0 without it', async () => {
    const measured = new BatchTransform<string>({ sizeOf: length })
    const plain = new BatchTransform<string>()
    const events = [...[measured, plain].map(eventsOf)]
    await Promise.all([measured, plain].map(stream => batchesOf(stream, ['aa', 'bbb'])))
    expect(events.flat().map(event => event.bytes)).to.deep.equal([5, 0])
  })

  it('treats arrays as items: it neither flattens nor spreads them', async () => {
    const stream = new BatchTransform<unknown[]>({ maxCount: 2 })
    expect(await batchesOf(stream, [[1, 2], [], [[3]]])).to.deep.equal([[[1, 2], []], [[[3]]]])
  })

  for (const [name, limits, lengths] of [
    ['without sizes', { maxCount: 4 }, [4, 2]],
    ['with sizes', { maxBytes: 2, sizeOf: () => 1 }, [2, 2, 2]],
  ] as [string, BatchTransformOptions<unknown>, number[]][]) {
    it(`passes items that are falsy, ${name}`, async () => {
      const items = [0, '', false, undefined, Number.NaN, 0n]
      const batches = await batchesOf(new BatchTransform<unknown>(limits), items)
      expect(batches.flat()).to.deep.equal(items)
      expect(batches.map(batch => batch.length)).to.deep.equal(lengths)
    })
  }

  it('never reuses an array that it has pushed', async () => {
    const [first, second] = await batchesOf(new BatchTransform<number>({ maxCount: 2 }), [1, 2, 3, 4])
    first!.length = 0
    expect(second).to.deep.equal([3, 4])
  })

  it('takes writes that were corked', async () => {
    const stream = new BatchTransform<number>({ maxCount: 4 })
    stream.cork()
    const done = batchesOf(stream, range(1, 10))
    expect(await done).to.deep.equal([range(1, 4), range(5, 8), [9, 10]])
  })

  it('takes items that a listener writes back, without mixing up batches', async () => {
    const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: Number.POSITIVE_INFINITY })
    const batches = collect(stream)
    stream.once('batch', () => writeAll(stream, range(10, 14)))
    stream.write(1)
    stream.flush()
    await settle()
    stream.end()
    await settle()
    expect(batches).to.deep.equal([[1], [10, 11], [12, 13], [14]])
  })

  it('never exceeds maxCount when a listener writes while downstream takes a due batch', async () => {
    const stream = new BatchTransform<number>({ maxCount: 3, maxWaitMs: Number.POSITIVE_INFINITY })
    writeAll(stream, [1, 2, 3, 4])
    stream.flush()
    stream.once('batch', () => writeAll(stream, range(10, 20)))
    const batches = collect(stream)
    await settle()
    stream.end()
    await settle()
    expect(batches.map(batch => batch.length)).to.deep.equal([3, 1, 3, 3, 3, 2])
    expect(batches.flat()).to.deep.equal([1, 2, 3, 4, ...range(10, 20)])
  })

  describe('flush()', () => {
    it('closes the current batch now', () => {
      const stream = new BatchTransform<number>()
      const batches = collect(stream)
      const events = eventsOf(stream)
      writeAll(stream, [1, 2])
      stream.flush()
      expect(batches).to.deep.equal([[1, 2]])
      expect(events[0]).to.include({ count: 2, trigger: 'flush' })
    })

    it('does nothing on an empty batch, after the end, and after destroy()', async () => {
      const stream = new BatchTransform<number>()
      const events = eventsOf(stream)
      stream.flush()
      await batchesOf(stream, [])
      stream.flush()
      const destroyed = new BatchTransform<number>()
      const others = eventsOf(destroyed)
      destroyed.write(1)
      destroyed.destroy()
      destroyed.flush()
      await settle()
      expect([...events, ...others]).to.deep.equal([])
    })

    it('changes nothing on a batch that its cap has closed and that waits to leave', () => {
      const stream = new BatchTransform<number>({ maxCount: 2 })
      const events = eventsOf(stream)
      writeAll(stream, [1, 2, 3, 4])
      stream.flush()
      expect(stream.read()).to.deep.equal([1, 2])
      expect(stream.read()).to.deep.equal([3, 4])
      expect(events.map(event => event.trigger)).to.deep.equal(['count', 'count'])
    })

    it('makes the batch due while downstream is full: it fills on, and leaves whole', () => {
      const stream = new BatchTransform<number>({ maxCount: 3 })
      const events = eventsOf(stream)
      writeAll(stream, [1, 2, 3, 4])
      stream.flush()
      stream.flush()
      stream.write(5)
      expect(stream.read()).to.deep.equal([1, 2, 3])
      expect(stream.read()).to.deep.equal([4, 5])
      expect(events.map(event => event.trigger)).to.deep.equal(['count', 'flush'])
    })
  })

  it('refuses what every Writable refuses, also while a batch is open', async () => {
    const [ended, destroyed] = [new BatchTransform<number>(), new BatchTransform<number>()]
    const errors: unknown[] = []
    for (const stream of [ended, destroyed]) {
      stream.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
      writeAll(stream, [1, 2])
    }
    expect(() => ended.write(null as never))
      .to.throw(TypeError)
      .with.property('code', 'ERR_STREAM_NULL_VALUES')
    ended.end()
    destroyed.destroy()
    const answers = [ended, destroyed].map(
      stream => new Promise<NodeJS.ErrnoException | null | undefined>(resolve => stream.write(3, resolve)),
    )
    expect([ended.write(4), destroyed.write(4)]).to.deep.equal([false, false])
    expect((await Promise.all(answers)).map(error => error?.code)).to.deep.equal([
      'ERR_STREAM_WRITE_AFTER_END',
      'ERR_STREAM_DESTROYED',
    ])
    expect(errors).to.deep.equal(['ERR_STREAM_WRITE_AFTER_END'])
  })
})
