import { expect } from 'chai'
import { bench } from '../../bench/kafka/bench.ts'
import { BenchUnavailable } from '../../bench/support/bench.ts'
import { renderChart } from '../../bench/support/chart.ts'
import { measureInChild } from '../../bench/support/child.ts'
import { renderTable } from '../../bench/support/markdown.ts'
import { useDatabase } from '../support/servers/database.ts'

describe('the bench of Kafka', function () {
  this.timeout(180_000)
  const db = useDatabase()
  const lines: string[] = []
  const run = () =>
    bench.run({
      rows: 60,
      repeats: 1,
      quick: true,
      table: 'mixed',
      connectionString: async () => db.directConnectionString,
      measure: measureInChild,
      measureCompiled: measureInChild,
      log: line => lines.push(line),
    })

  it('runs, and reports each run, in tables and in a chart', async () => {
    const results = await run()
    expect(lines).to.have.length(6)
    expect(results.tables.map(renderTable).join('\n'))
      .to.match(/\d/)
      .and.not.match(/NaN|undefined|Infinity/)
    expect(await renderChart(results.chart)).to.include(`>${results.chart.title}<`)
  })

  it('is left out, with the reason, where there is no Java', async () => {
    const { PATH } = process.env
    process.env.PATH = '/nowhere'
    try {
      const error = await run().then(
        () => undefined,
        error => error,
      )
      expect(error).to.be.instanceOf(BenchUnavailable)
      expect(error.message).to.include('Java')
    } finally {
      process.env.PATH = PATH
    }
  })
})
