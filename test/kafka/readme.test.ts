import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { useDatabase } from '../support/database.ts'
import { openWorkshop, type Workshop } from '../support/examples.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { parseSections } from '../support/markdown.ts'
import { count } from './support.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const sections = parseSections(readme).filter(({ blocks }) => blocks.some(({ needs }) => needs === 'kafka'))

describe('README.md, with a broker', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const kafka = useKafka()
  let workshop: Workshop
  before(async () => {
    workshop = await openWorkshop()
  })
  after(() => workshop?.close())

  it('runs every code block of "Kafka", and the orders are in the table', async () => {
    expect(sections.map(({ heading }) => heading)).to.deep.equal(['Kafka'])
    await kafka.createTopic(2, 'orders')
    await kafka.produce('orders', [
      { value: { id: 1, total: '9.99' }, partition: 0 },
      { value: { id: 2, total: '5.00' }, partition: 0 },
    ])
    await workshop.runSection(sections[0]!, db.connectionString, { kafka: kafka.bootstrapBrokers[0]! })
    expect(await count(db.pool, 'orders')).to.equal(2)
  })
})
