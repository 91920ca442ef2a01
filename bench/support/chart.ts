import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { significant, summarize } from './statistics.ts'

/**
 * The colour of a bar: this toolkit's, its paler one for the second of a pair, another way's, or a bound's.
 */
export type Tone = 'ours' | 'ours, second' | 'other' | 'bound'

/**
 * One number for each case, the best on top. Bars of one group stay together, in the order given.
 */
export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  /** The measure and its unit, and whether more is better. */
  readonly subtitle: string
  readonly better: 'more' | 'less'
  readonly bars: readonly {
    readonly label: string
    readonly value: number
    readonly tone: Tone
    /** Bars with the same group stand side by side; the group with the best bar is on top. */
    readonly group?: string
    /** The least and the greatest of the runs. */
    readonly spread?: readonly [number, number]
  }[]
}

/** Makes the bar of several runs: their median, with the least and the greatest as its spread. */
export function bar(
  label: string,
  tone: Tone,
  samples: readonly number[],
  { unit = 1, group }: { readonly unit?: number; readonly group?: string } = {},
): BarChart['bars'][number] {
  const { median, min, max } = summarize(samples)
  const value = { label, tone, value: median / unit, spread: [min / unit, max / unit] } as const
  return group === undefined ? value : { ...value, group }
}

/** Series of points. */
export interface LineChart {
  readonly kind: 'lines'
  readonly title: string
  readonly subtitle: string
  readonly x: { readonly title: string; readonly scale: 'linear' | 'log' }
  readonly y: { readonly title: string }
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
  /** A limit, drawn as a dashed line. */
  readonly limit?: { readonly label: string; readonly value: number }
}

export type Chart = BarChart | LineChart

type LayerSpecs = Extract<TopLevelSpec, { layer: unknown }>['layer']

const WIDTH = 560
const BAR_STEP = 26
const LINES_HEIGHT = 260
/** With more points on a line, the dots run together. */
const MOST_DOTS = 40

/** d3's format for 1,500 and 0.25. */
const NUMBER = ',.12~g'

const INK = '#1f2328'
const FAINT = '#59636e'
const GRID = '#e5e9ee'
/** Blue is ours and grey is never ours. */
const TONES: Readonly<Record<Tone, string>> = {
  ours: '#1f6feb',
  'ours, second': '#85b5f8',
  other: '#a8b1bb',
  bound: '#d8a030',
}
const SERIES = ['#1f6feb', '#d8592b', '#2a9d5c', '#8250df', '#b8860b', '#59636e', '#0a9396', '#c2255c']

/**
 * The look of all charts. The background is white, since GitHub shows charts on light and dark pages.
 */
const LOOK = {
  background: '#ffffff',
  padding: 16,
  config: {
    font: 'Helvetica, Arial, "DejaVu Sans", sans-serif',
    view: { stroke: null },
    title: {
      anchor: 'start',
      frame: 'group',
      color: INK,
      fontSize: 15,
      subtitleColor: FAINT,
      subtitleFontSize: 12,
      subtitlePadding: 4,
      offset: 14,
    },
    axis: {
      labelColor: INK,
      titleColor: FAINT,
      titleFontWeight: 'normal',
      labelFontSize: 12,
      titleFontSize: 12,
      labelLimit: 0,
      gridColor: GRID,
      domain: false,
      ticks: false,
      labelPadding: 6,
      titlePadding: 10,
    },
    legend: { labelColor: INK, labelFontSize: 12, labelLimit: 0, title: null, symbolStrokeWidth: 3 },
    range: { category: SERIES },
  },
} as const

/** Renders a chart as SVG. The same numbers give the same text. */
export async function renderChart(chart: Chart): Promise<string> {
  useOneMeasureOfText()
  vega.resetSVGDefIds()
  const { spec } = compile(chart.kind === 'bars' ? barSpec(chart) : lineSpec(chart))
  const view = new vega.View(vega.parse(spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

/**
 * Measures text the same way on every machine: Vega uses the package `canvas` where it is installed, and its
 * estimate is half as wide again. A letter of Helvetica is 0.56 of its size wide on average.
 */
function useOneMeasureOfText(): void {
  // exported, but missing in Vega's types
  const { textMetrics } = vega as unknown as {
    textMetrics: { width: (item: MeasuredText, text: string) => number }
  }
  textMetrics.width = ({ fontSize = 11, fontWeight }, text) =>
    text.length * fontSize * (fontWeight === 'bold' ? 0.61 : 0.56)
}

interface MeasuredText {
  readonly fontSize?: number
  readonly fontWeight?: string
}

function barSpec({ title, subtitle, better, bars }: BarChart): TopLevelSpec {
  const values = bestFirst(bars, better).map(
    ({ label, value, tone, spread: [low, high] = [value, value] }) => ({
      label,
      value,
      tone,
      low,
      high,
      text: significant(value),
    }),
  )
  const y = { field: 'label', type: 'nominal', sort: null, axis: { title: null } } as const
  return {
    ...LOOK,
    title: { text: title, subtitle },
    width: WIDTH,
    height: { step: BAR_STEP },
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.68 }, cornerRadiusEnd: 2 },
        encoding: {
          x: { field: 'value', type: 'quantitative', axis: { title: null, tickCount: 6, format: NUMBER } },
          color: {
            field: 'tone',
            type: 'nominal',
            legend: null,
            scale: { domain: Object.keys(TONES), range: Object.values(TONES) },
          },
        },
      },
      {
        mark: { type: 'rule', color: INK, opacity: 0.55, strokeWidth: 1.5 },
        encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: INK, fontSize: 12, fontWeight: 'bold' },
        encoding: {
          x: { field: 'high', type: 'quantitative' },
          text: { field: 'text', type: 'nominal' },
        },
      },
    ],
  }
}

/** Sorts groups by their best bar. A bar without a group is a group of its own. */
function bestFirst(bars: BarChart['bars'], better: BarChart['better']): BarChart['bars'] {
  const sign = better === 'more' ? -1 : 1
  const nameOf = ({ group, label }: BarChart['bars'][number]) => group ?? label
  const groups = [...new Set(bars.map(nameOf))].map(name => bars.filter(bar => nameOf(bar) === name))
  const best = (group: BarChart['bars']) => Math.min(...group.map(({ value }) => sign * value))
  return groups.sort((a, b) => best(a) - best(b)).flat()
}

function lineSpec({ title, subtitle, x, y, series, limit }: LineChart): TopLevelSpec {
  const values = series.flatMap(({ name, points }) => points.map(([x, y]) => ({ name, x, y })))
  const places = [...new Set(values.map(({ x }) => x))].sort((a, b) => a - b)
  const log = x.scale === 'log'
  const lines = {
    data: { values },
    mark: { type: 'line', strokeWidth: 2.5, point: places.length <= MOST_DOTS },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: x.title,
        scale: { type: x.scale, nice: !log },
        axis: { grid: false, labelOverlap: 'greedy', format: NUMBER, ...(log ? { values: places } : {}) },
      },
      y: { field: 'y', type: 'quantitative', title: y.title, axis: { format: NUMBER } },
      color: {
        field: 'name',
        type: 'nominal',
        sort: null,
        legend: series.length > 1 ? { orient: 'bottom', direction: 'horizontal', columns: 4 } : null,
      },
    },
  } as const
  return {
    ...LOOK,
    title: { text: title, subtitle },
    width: WIDTH,
    height: LINES_HEIGHT,
    layer: limit ? [lines, ...levelLayers(limit)] : [lines],
  }
}

/** A dashed line, with its label to the right of the plot, where no other line can cross it. */
function levelLayers(limit: { readonly label: string; readonly value: number }): LayerSpecs {
  const data = { values: [limit] }
  const y = { field: 'value', type: 'quantitative' } as const
  return [
    { data, mark: { type: 'rule', strokeDash: [6, 4], color: INK }, encoding: { y } },
    {
      data,
      mark: { type: 'text', align: 'left', baseline: 'middle', color: INK, fontSize: 12, x: WIDTH + 6 },
      encoding: { y, text: { field: 'label', type: 'nominal' } },
    },
  ]
}
