import { expect } from 'chai'
import { openWorkshop, type Workshop } from '../support/examples/workshop.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { readPage } from '../support/pages/pages.ts'
import { useDatabase } from '../support/servers/database.ts'
import { count } from './support.ts'

const page = readPage('docs/kafka.md')
const sections = page.sections.filter(({ blocks }) => blocks.some(({ needs }) => needs === 'kafka'))

describe('docs/kafka.md, with a broker', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const kafka = useKafka()
  let workshop: Workshop
  before(async () => {
    workshop = await openWorkshop()
  })
  after(() => workshop?.close())

  it('runs every code block of "A first example", and the orders are in the table', async () => {
    expect(sections.map(({ heading }) => heading)).to.deep.equal(['A first example'])
    await kafka.createTopic(2, 'orders')
    await kafka.produce('orders', [
      { value: { id: 1, total: '9.99' }, partition: 0 },
      { value: { id: 2, total: '5.00' }, partition: 0 },
    ])
    await workshop.runSection(sections[0]!, db.connectionString, { kafka: kafka.bootstrapBrokers[0]! })
    expect(await count(db.pool, 'orders')).to.equal(2)
  })
})
