import { once } from 'node:events'
import { expect } from 'chai'
import sinon from 'sinon'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'

const boom = new Error('boom')
const FAILURES: readonly [how: string, onDiscard: () => void, words: string][] = [
  [
    'throws',
    () => {
      throw boom
    },
    'boom',
  ],
  ['rejects', () => Promise.reject(boom), 'boom'],
  [
    'throws what is no Error',
    () => {
      throw null
    },
    'A value that is not an Error was thrown',
  ],
]

describe('onDiscard that fails', () => {
  afterEach(() => sinon.restore())

  for (const [how, onDiscard, words] of FAILURES) {
    const streams = {
      BatchTransform: () => new BatchTransform<object>({ onDiscard }),
      PgBatchWritable: () =>
        new PgBatchWritable({ pool: { connect: () => new Promise<never>(() => {}) }, table: 't', onDiscard }),
    }
    for (const [name, make] of Object.entries(streams)) {
      it(`${how}: ${name} closes with its own error, and the process is warned`, async () => {
        const warned = sinon.stub(process, 'emitWarning')
        const stream = make()
        stream.write([{}])
        const failed = once(stream, 'error')
        stream.destroy(new Error('the cause'))
        expect((await failed)[0]).to.have.property('message', 'the cause')
        if (!stream.closed) await once(stream, 'close')
        expect(warned.args).to.have.nested.property('[0][0]', `onDiscard failed: ${words}`)
      })
    }
  }
})
