import { expect } from 'chai'
import { useKafka } from '../support/kafka/kafka.ts'

describe('the broker of the tests', () => {
  const kafka = useKafka({ own: true })

  it('starts again after a kill, on the same port, with what was produced', async () => {
    const topic = await kafka.createTopic(2)
    await kafka.produce(topic, [
      { value: { id: 1 }, partition: 0 },
      { value: { id: 2 }, partition: 1 },
      { value: { id: 3 }, partition: 1 },
    ])
    const { pid } = kafka.broker
    await kafka.broker.kill()
    await kafka.broker.start()
    expect(kafka.broker.pid).not.to.equal(pid)
    expect(await kafka.ends(topic)).to.deep.equal([1n, 2n])
  })
})
