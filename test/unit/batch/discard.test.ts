import { getEventListeners, once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import sinon from 'sinon'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { batchesOf, collect, range, settle, writeAll } from './support.ts'

const boom = new Error('boom')

describe('BatchTransform: error, destroy and abort', () => {
  afterEach(() => sinon.restore())

  it('hands what the current batch holds to onDiscard, before "error" and "close"', async () => {
    const order: unknown[] = []
    const stream = new BatchTransform<number>({ onDiscard: items => order.push(items) })
    stream.on('error', error => order.push(error)).on('close', () => order.push('close'))
    writeAll(stream, [1, 2])
    stream.destroy(boom)
    await settle()
    expect(order).to.deep.equal([[1, 2], boom, 'close'])
  })

  it('hands over all items, oldest first: unread batch, current batch, writable buffer', () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxCount: 3, onDiscard })
    writeAll(stream, range(1, 20))
    stream.destroy()
    expect(onDiscard.args).to.deep.equal([[range(1, 20)]])
  })

  it('hands over the item that waits because it no longer fits', () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: size => size, onDiscard })
    writeAll(stream, [10, 6, 7, 8])
    stream.destroy()
    expect(onDiscard.args).to.deep.equal([[[10, 6, 7, 8]]])
  })

  it('hands over items that are arrays as they are, and falsy ones too', () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<unknown>({ maxCount: 2, onDiscard })
    const items = [[1], 0, [[2]], undefined, false, '']
    writeAll(stream, items)
    stream.destroy()
    expect(onDiscard.args).to.deep.equal([[items]])
  })

  it('hands over corked writes', () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ onDiscard })
    stream.write(1)
    stream.cork()
    writeAll(stream, [2, 3])
    stream.destroy()
    expect(onDiscard.args).to.deep.equal([[[1, 2, 3]]])
  })

  it('hands over what a batch held when it was destroyed at its end', () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxCount: 2, onDiscard })
    writeAll(stream, [1, 2, 3])
    stream.end()
    stream.destroy()
    expect(onDiscard.args).to.deep.equal([[[1, 2, 3]]])
  })

  it('does not hand over what was read, and does not let be read what was handed over', async () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxCount: 2, onDiscard })
    writeAll(stream, range(1, 5))
    expect(stream.read()).to.deep.equal([1, 2])
    const batches = collect(stream)
    stream.destroy()
    expect(stream.read()).to.equal(null)
    await settle()
    expect(batches).to.deep.equal([])
    expect(onDiscard.args).to.deep.equal([[[3, 4, 5]]])
  })

  it('loses and doubles nothing when a listener destroys it in the middle of a write', async () => {
    for (const name of ['data', 'batch'] as const) {
      const onDiscard = sinon.spy()
      const read: number[] = []
      const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: size => size, onDiscard })
      stream.on('data', batch => read.push(...batch))
      stream.on(name, () => stream.destroy())
      stream.cork()
      writeAll(stream, [4, 5, 6, 1])
      stream.uncork()
      await once(stream, 'close')
      expect(read, name).to.deep.equal([4, 5])
      expect(onDiscard.args, name).to.deep.equal([[[6, 1]]])
    }
  })

  it('loses and doubles nothing when a listener destroys it while downstream takes a batch', async () => {
    const onDiscard = sinon.spy()
    const stream = new BatchTransform<number>({ maxCount: 2, onDiscard })
    writeAll(stream, range(1, 5))
    stream.on('batch', () => stream.destroy())
    const batches = collect(stream)
    await once(stream, 'close')
    expect([...batches.flat(), ...onDiscard.args.flat(2)]).to.deep.equal(range(1, 5))
  })

  it('does not call onDiscard after a clean end, nor when nothing is held', async () => {
    const onDiscard = sinon.spy()
    const ended = new BatchTransform<number>({ maxCount: 2, onDiscard })
    await batchesOf(ended, [1, 2, 3])
    ended.destroy()
    const idle = new BatchTransform<number>({ onDiscard })
    idle.destroy()
    await settle()
    expect(ended.destroyed && idle.destroyed).to.equal(true)
    expect(onDiscard.callCount).to.equal(0)
  })

  it('sends no batch once it is destroyed', async () => {
    const clock = sinon.useFakeTimers()
    const stream = new BatchTransform<number>({ maxWaitMs: 1 })
    const batches = collect(stream)
    stream.write(1)
    stream.destroy()
    await clock.tickAsync(5)
    expect(batches).to.deep.equal([])
  })

  it('answers every write and end() that was waiting when it is destroyed', async () => {
    for (const error of [boom, undefined]) {
      const stream = new BatchTransform<number>({ maxCount: 1 }).on('error', () => {})
      const answers: unknown[] = []
      for (const item of range(1, 4)) stream.write(item, result => answers.push([item, result?.message]))
      stream.end(() => answers.push('end'))
      await settle()
      expect(answers).to.deep.equal([[1, undefined]])
      stream.destroy(error)
      await settle()
      expect(answers).to.have.length(5)
      expect(answers.slice(2, 4)).to.deep.equal(
        [3, 4].map(item => [item, error?.message ?? 'Cannot call write after a stream was destroyed']),
      )
    }
  })

  it('emits no "error" on destroy() without one, and a pipeline reports a premature close', async () => {
    const stream = new BatchTransform<number>({ maxCount: 1 })
    const sink = new Writable({ objectMode: true, highWaterMark: 1, write() {} })
    const failed = pipeline(Readable.from(range(1, 100)), stream, sink).catch(error => error)
    await settle()
    stream.destroy()
    expect(await failed).to.have.property('code', 'ERR_STREAM_PREMATURE_CLOSE')
    expect(stream.errored).to.equal(null)
  })

  describe('sizeOf that fails', () => {
    it('throws: the stream is destroyed with that error, and the item is among the discarded', async () => {
      const onDiscard = sinon.spy()
      const sizeOf = (item: number) => {
        if (item === 3) throw boom
        return 1
      }
      const stream = new BatchTransform<number>({ sizeOf, onDiscard })
      stream.cork()
      const answers: unknown[] = []
      for (const item of range(1, 5)) stream.write(item, error => answers.push(error?.message))
      const failed = once(stream, 'error')
      stream.uncork()
      expect((await failed)[0]).to.equal(boom)
      expect(onDiscard.args).to.deep.equal([[range(1, 5)]])
      await settle()
      expect(answers.slice(2)).to.deep.equal(['boom', 'boom', 'boom'])
    })

    it('throws in a pipeline, which rejects with that error', async () => {
      const sizeOf = () => {
        throw boom
      }
      const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf })
      const failed = pipeline(Readable.from([1]), stream, async batches => {
        for await (const _ of batches);
      })
      expect(await failed.catch(error => error)).to.equal(boom)
    })

    it('throws what is no Error: the stream fails all the same', async () => {
      const sizeOf = () => {
        throw undefined
      }
      const stream = new BatchTransform<number>({ sizeOf })
      const failed = once(stream, 'error')
      stream.write(1)
      expect((await failed)[0]).to.be.instanceOf(Error)
    })

    for (const size of [Number.NaN, -1]) {
      it(`returns ${size}: the stream is destroyed, and says so`, async () => {
        const onDiscard = sinon.spy()
        const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: () => size, onDiscard })
        const failed = once(stream, 'error')
        stream.write(1)
        const [error] = await failed
        expect(error.message).to.equal(
          `Expected \`sizeOf\` to return a finite number ≥ 0, got \`${size}\` (number)`,
        )
        expect(onDiscard.args).to.deep.equal([[[1]]])
      })
    }

    it('destroys the stream itself: nothing is lost', async () => {
      const onDiscard = sinon.spy()
      const sizeOf = (item: number) => {
        if (item === 2) stream.destroy()
        return 1
      }
      const stream: BatchTransform<number> = new BatchTransform<number>({ sizeOf, onDiscard })
      writeAll(stream, [1, 2])
      await once(stream, 'close')
      expect(onDiscard.args).to.deep.equal([[[1, 2]]])
    })
  })

  describe('signal', () => {
    it('destroys the stream with an AbortError when it aborts, and hands over what is held', async () => {
      const controller = new AbortController()
      const onDiscard = sinon.spy()
      const stream = new BatchTransform<number>({ signal: controller.signal, onDiscard })
      writeAll(stream, [1, 2])
      const failed = once(stream, 'error')
      controller.abort(boom)
      const [error] = await failed
      expect(error).to.include({ name: 'AbortError', cause: boom })
      expect(onDiscard.args).to.deep.equal([[[1, 2]]])
    })

    it('destroys the stream at once when it has aborted before', async () => {
      const onDiscard = sinon.spy()
      const stream = new BatchTransform<number>({ signal: AbortSignal.abort(), onDiscard })
      const failed = once(stream, 'error')
      expect(stream.destroyed).to.equal(true)
      expect((await failed)[0]).to.have.property('name', 'AbortError')
      expect(onDiscard.callCount).to.equal(0)
    })

    it('has no listener left on the signal after the end, nor after destroy()', async () => {
      const { signal } = new AbortController()
      const ended = new BatchTransform<number>({ signal })
      expect(getEventListeners(signal, 'abort')).to.have.length(1)
      await batchesOf(ended, [1])
      await settle()
      expect(getEventListeners(signal, 'abort')).to.have.length(0)
      const destroyed = new BatchTransform<number>({ signal })
      destroyed.destroy()
      await settle()
      expect(getEventListeners(signal, 'abort')).to.have.length(0)
    })
  })
})
