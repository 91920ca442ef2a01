import { expect } from 'chai'
import { type BarChart, bar, type LineChart, renderChart } from '../../../bench/support/chart.ts'

const bars: BarChart = {
  kind: 'bars',
  title: 'Rates',
  subtitle: 'thousand rows a second',
  better: 'more',
  bars: [
    bar('slow way', 'other', [1000, 2000, 4000], { unit: 1000 }),
    bar('this way', 'ours', [900_000], { unit: 1000 }),
    bar('a bound', 'bound', [800_000], { unit: 1000 }),
  ],
}

const lines: LineChart = {
  kind: 'lines',
  title: 'Memory',
  subtitle: 'resident',
  x: { title: 'rows', scale: 'linear' },
  y: { title: 'MB' },
  series: [
    { name: 'one', points: [[1, 10] as const, [2, 20] as const] },
    { name: 'two', points: [[1, 5] as const, [2, 6] as const] },
  ],
  limit: { label: 'no more than this', value: 30 },
}

describe('the charts of the benches', () => {
  it('are the same text each time, whatever was drawn before', async () => {
    const first = await renderChart(bars)
    await renderChart(lines)
    expect(await renderChart(bars)).to.equal(first)
  })

  it('show the best first, with its median as a label', async () => {
    const svg = await renderChart(bars)
    const inOrder = ['this way', 'a bound', 'slow way'].map(label => svg.indexOf(`>${label}<`))
    expect(inOrder)
      .to.deep.equal(inOrder.toSorted((a, b) => a - b))
      .and.not.include(-1)
    expect(svg).to.include('>2.00<').and.include('>900<')
    const less = await renderChart({ ...bars, better: 'less' })
    expect(less.indexOf('>slow way<')).to.be.lessThan(less.indexOf('>this way<'))
  })

  it('keep pairs together, the pair with the best bar first', async () => {
    const pair = (group: string, [first, second]: readonly [number, number]) => [
      bar(`${group}, one`, 'ours', [first], { group }),
      bar(`${group}, two`, 'ours, second', [second], { group }),
    ]
    const svg = await renderChart({
      ...bars,
      better: 'less',
      bars: [...pair('x', [5, 6]), ...pair('y', [9, 1])],
    })
    const inOrder = ['y, one', 'y, two', 'x, one', 'x, two'].map(label => svg.indexOf(`>${label}<`))
    expect(inOrder)
      .to.deep.equal(inOrder.toSorted((a, b) => a - b))
      .and.not.include(-1)
  })

  it('are grey only for ways that are not ours', async () => {
    const ours = await renderChart({ ...bars, bars: [bar('a', 'ours', [1]), bar('b', 'ours, second', [2])] })
    expect(ours).not.to.include('#a8b1bb')
    expect(await renderChart(bars)).to.include('#a8b1bb')
  })

  it('write the label of a level beside the plot, where no line crosses it', async () => {
    const svg = await renderChart(lines)
    const label = /<text[^>]*translate\(([\d.]+),[^>]*>no more than this</.exec(svg)
    expect(Number(label?.[1])).to.be.greaterThan(560)
  })

  it('are white behind, for a page may be dark', async () => {
    for (const chart of [bars, lines]) expect(await renderChart(chart)).to.match(/<rect[^>]*fill="#ffffff"/)
  })

  it('name each line, and the level that is to be kept', async () => {
    const svg = await renderChart(lines)
    for (const text of ['one', 'two', 'no more than this', 'Memory']) expect(svg).to.include(`>${text}<`)
  })
})
