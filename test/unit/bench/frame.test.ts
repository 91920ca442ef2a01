import { expect } from 'chai'
import type { Bench, BenchResults } from '../../../bench/support/bench.ts'
import { interleaved } from '../../../bench/support/interleaved.ts'
import { wrapProse } from '../../../bench/support/markdown.ts'
import { findingsOf, renderResults } from '../../../bench/support/results-file.ts'
import { benchRows } from '../../../bench/support/rows.ts'
import { showSummary, summarize } from '../../../bench/support/statistics.ts'

const bench: Bench = {
  name: 'some',
  question: 'How?',
  repeats: 1,
  minutes: 1,
  run: () => Promise.reject(new Error()),
}
const results = (cell: string): BenchResults => ({
  caveat: 'Synthetic.',
  method: 'Timed.',
  tables: [{ title: 'Rates', header: ['way', 'rate'], rows: [['a', cell]] }],
  chart: { kind: 'bars', title: 'Rates', subtitle: 'rows/s', better: 'more', bars: [] },
})

const render = (cell: string, machine: string, findings: string): string =>
  renderResults({ bench, results: results(cell), machine }, findings)

describe('the frame of the benches', () => {
  it('keeps the findings, and nothing else, when a bench is run again', () => {
    const first = render('111', 'a machine', 'Fast,\n\nand `$1` stays.')
    const second = render('222', 'another', findingsOf(first))
    expect(second).to.include('Fast,\n\nand `$1` stays.').and.include('222').and.include('another')
    expect(second).not.to.include('111')
    expect(findingsOf(second)).to.equal('Fast,\n\nand `$1` stays.')
  })

  it('breaks prose at 110 columns, and leaves tables as they are', () => {
    const prose = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')
    const text = `${prose}\n\n- ${prose}\n- short\n\n| ${prose} |`
    const wrapped = wrapProse(text)
    expect(wrapped.split('\n').filter(line => line.length > 110)).to.deep.equal([`| ${prose} |`])
    expect(wrapped.replace(/\n(?: {2})?(?=word)/g, ' ')).to.equal(text)
    expect(wrapped).to.match(/^ {2}word/m)
    expect(wrapProse(wrapped)).to.equal(wrapped)
  })

  it('shows the chart, and names the table where it is another', () => {
    expect(render('1', 'a machine', '')).to.include('![Rates](./some.svg)')
    const other = renderResults({ bench, results: results('1'), machine: '', variant: 'wide' }, '')
    expect(other).to.include('![Rates](./some.wide.svg)').and.include('npm run bench -- some --table wide')
  })

  it('says that there are no findings before any are written', () => {
    expect(findingsOf('')).to.equal('None written yet.')
  })

  it('refuses to overwrite findings that have lost a mark', () => {
    const whole = render('1', 'a machine', 'Fast.')
    expect(() => findingsOf(whole.replace(/<!-- findings.*-->/, ''))).to.throw('lost one of the marks')
    expect(() => findingsOf(whole.replace(/<!-- end.*-->/, ''))).to.throw('lost one of the marks')
  })

  it('runs the cases in turns, there and back', async () => {
    const order: string[] = []
    const samples = await interleaved(['a', 'b'], 3, async one => order.push(one))
    expect(order.join('')).to.equal('abbaab')
    expect([...samples]).to.deep.equal([
      ['a', [1, 4, 5]],
      ['b', [2, 3, 6]],
    ])
  })

  it('shows the median and the spread', () => {
    expect(showSummary(summarize([1, 30, 200]))).to.equal('30.0 (1.00–200)')
    expect(summarize([4, 1, 3, 2]).median).to.equal(2.5)
  })

  it('makes the same rows each time, with ids of their own', () => {
    expect(benchRows(50, 7)).to.deep.equal(benchRows(50, 7))
    expect(new Set([...benchRows(50), ...benchRows(50, 51)].map(({ id }) => id)).size).to.equal(100)
  })
})
