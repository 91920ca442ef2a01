import { expect } from 'chai'
import { KafkaMessage } from '../../../lib/kafka/messages/kafka-message.ts'
import { TableRouter } from '../../../lib/kafka/table-router.ts'

const message = (offset: number) =>
  new KafkaMessage<unknown>({
    topic: 't',
    partition: 0,
    offset: BigInt(offset),
    timestamp: 0n,
    value: Buffer.from('{'),
    headers: new Map(),
  })
const routing = (rejectLimit: number) =>
  new TableRouter<unknown>({ tableOf: ({ value }) => String(value), writable: { rejectLimit } as never })

/** Holds this many messages whose table cannot be found. */
function hold(router: TableRouter<unknown>, count: number): void {
  for (let offset = 0; offset < count; offset++) {
    const each = message(offset)
    expect(router.tableOf(each)).to.equal(undefined)
    router.hold(each)
  }
}

describe('TableRouter', () => {
  it('holds as many messages without a table as may be rejected', () => {
    const router = routing(2)
    expect(() => hold(router, 3)).to.throw('The value of topic t, partition 0, offset 2 is not JSON')
    expect(router.held).to.equal(2)
  })

  it('holds no message forever: it throws after 10,000 skipped messages', () => {
    const router = routing(Number.POSITIVE_INFINITY)
    const skip = (count: number) => {
      for (let skipped = 0; skipped < count; skipped++) router.noteSkipped()
    }
    skip(20_000) // nothing waits
    hold(router, 1)
    skip(9999)
    expect(router.release()).to.have.length(1)
    hold(router, 1)
    skip(9999)
    expect(() => skip(1))
      .to.throw(
        /`table` threw for topic t, partition 0, offset 0, and returned no table for the 10000 messages after it/,
      )
      .with.property('code', 'ROW_INVALID')
  })
})
