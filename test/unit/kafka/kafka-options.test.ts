import { expect } from 'chai'
import { resolveKafkaOptions } from '../../../lib/kafka/kafka-options.ts'
import { seekToStored } from '../../../lib/kafka/offsets/seek-to-stored.ts'

const consumer = { clientId: 'c', groupId: 'g', bootstrapBrokers: ['127.0.0.1:1'] }
const pool = { connect: () => Promise.reject(new Error('not asked')) }
const good = { consumer, topics: ['t'], pool, table: 'events', delivery: 'exactly-once' }
const resolve = (options: object) => resolveKafkaOptions({ ...good, ...options } as never)

describe('the options of kafkaToPg', () => {
  it('have defaults: the checkpoint is named after the group, and answers are bounded', () => {
    const { checkpoint, maxBytes, writable, ownsConsumer } = resolve({})
    expect(checkpoint).to.deep.equal({ name: 'kafka:g', table: 'pg_batch_checkpoint' })
    expect(maxBytes).to.equal(1_048_576)
    expect(writable.rejectLimit).to.equal(0)
    expect(ownsConsumer).to.equal(true)
    expect(resolve({ delivery: 'at-least-once' }).checkpoint).to.equal(undefined)
  })

  it('reject without a limit when there is a dead letter to reject to', () => {
    const deadLetter = { table: 'dead' }
    expect(resolve({ deadLetter }).writable.rejectLimit).to.equal(Number.POSITIVE_INFINITY)
    expect(resolve({ deadLetter, rejectLimit: 3 }).writable.rejectLimit).to.equal(3)
  })

  const wrong: readonly [string, object, RegExp][] = [
    [
      'no delivery',
      { delivery: undefined },
      /`delivery` to be one of 'at-least-once', 'exactly-once', got undefined/,
    ],
    ['no topics', { topics: [] }, /`topics` to be an array of topics' names that is not empty/],
    ['a topic, not in an array', { topics: 't' }, /`topics` to be an array/],
    ['no table', { table: undefined }, /`table` to be/],
    [
      'no destination',
      { pool: undefined },
      /`pool` \(of the package pg\) or `connectionString`, got neither/,
    ],
    ['a misspelt option', { parsevalue: () => 1 }, /options of kafkaToPg .* Did you mean `parseValue`\?/],
    ['a misspelt option of the writer', { concurency: 2 }, /Did you mean `concurrency`\?/],
    ['a wrong option of the writer', { concurrency: 0 }, /`concurrency` to be an integer ≥ 1/],
    ['a wrong batch', { batch: { maxCount: 0 } }, /`batch\.maxCount` to be an integer ≥ 1/],
    [
      'an option of the stream that it does not have',
      { signal: new AbortController().signal },
      /options of kafkaToPg/,
    ],
    ['lanes of partitions and others', { concurrency: 2, laneOf: () => 1 }, /no `laneOf` with `checkpoint`/],
    [
      'a checkpoint that is not used',
      { delivery: 'at-least-once', checkpoint: { name: 'n' } },
      /no `checkpoint` with `delivery: 'at-least-once'`/,
    ],
    ['a checkpoint that has more than it needs', { checkpoint: { position: () => 1 } }, /`position`/],
    ['a wrong checkpoint table', { checkpoint: { table: 5 } }, /`checkpoint\.table` to be/],
    ['no group', { consumer: { ...consumer, groupId: '' } }, /`consumer.groupId` to be a string/],
    [
      'the new group protocol',
      { consumer: { ...consumer, groupProtocol: 'consumer' } },
      /`consumer.groupProtocol` to be/,
    ],
    ['deserializers', { consumer: { ...consumer, deserializers: {} } }, /no `consumer.deserializers`/],
    ['a function that is not one', { toRow: 'row' }, /`toRow` to be a function/],
    ['no answers', { maxBytes: 0 }, /`maxBytes` to be an integer ≥ 1/],
    ['a size of batches', { batchSize: 500 }, /got `batchSize`\. Did you mean `batch(\.maxCount)?`\?/],
    ['a wait of batches', { maxWaitMs: 5 }, /got `maxWaitMs`\. Did you mean `batch\.maxWaitMs`\?/],
  ]
  for (const [what, options, message] of wrong) {
    it(`refuse ${what}`, () => {
      expect(() => resolve(options))
        .to.throw(TypeError, message)
        .with.property('code', 'ERR_INVALID_ARG_VALUE')
    })
  }

  for (const [options, message] of [
    [
      { topics: 'orders' },
      "Expected `topics` to be an array of topics' names that is not empty, got `'orders'` (string): " +
        "write `['orders']`",
    ],
    [
      { pool: undefined, connectionString: undefined },
      'Expected `connectionString` to be a string that is not empty, got undefined: is ' +
        'DATABASE_URL set?',
    ],
    [
      { checkpoint: { tabel: 'c' } },
      'Expected the options of checkpoint to be among name, table, got `tabel`. Did you mean `table`?',
    ],
    [
      { batch: { maxcount: 1 } },
      'Expected the options of BatchTransform to be among maxCount, maxBytes, sizeOf, maxWaitMs, onDiscard, signal, ' +
        'got `maxcount`. Did you mean `maxCount`?',
    ],
  ] as const) {
    it(`say what to write instead: ${message}`, () => {
      expect(() => resolve(options))
        .to.throw(TypeError)
        .with.property('message', message)
    })
  }

  it('of seekToStored are checked, too', async () => {
    const seek = (options: object) => seekToStored(pool as never, {} as never, options as never)
    const error = await seek({ topics: ['t'], nane: 'n' }).catch((reason: Error) => reason)
    expect(error).to.have.property(
      'message',
      'Expected the options of seekToStored to be among topics, name, table, got `nane`. Did you ' +
        'mean `name`?',
    )
  })
})
