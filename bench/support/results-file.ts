import { readFile, writeFile } from 'node:fs/promises'
import type { Bench, BenchResults } from './bench.ts'
import { renderChart } from './chart.ts'
import { renderTable, wrapProse } from './markdown.ts'

const FINDINGS_START = '<!-- findings: written by hand, kept by a re-run -->'
const FINDINGS_END = '<!-- end of findings -->'
const NO_FINDINGS = 'None written yet.'

/** What one bench publishes. */
export interface Publication {
  readonly bench: Bench
  readonly results: BenchResults
  readonly machine: string
  /** `--table`: its results have their own files. */
  readonly variant?: string
}

/**
 * Renders RESULTS.md of a benchmark. Only the findings, which a person wrote between their marks, are kept.
 */
export function renderResults(
  { bench: { name, question }, results, machine, variant }: Publication,
  findings: string,
): string {
  const { caveat, method, tables, chart } = results
  return `# ${named(name, variant)}

${question}
\`npm run bench -- ${name}${variant ? ` --table ${variant}` : ''}\` measures it again.

${wrapProse(`**Caveat (read first).** ${caveat}`)}

## Method

${wrapProse(method)}

## Machine and versions

${machine}

## Results

![${chart.title}](./${named(name, variant)}.svg)

${tables.map(renderTable).join('\n\n')}

## Findings

${FINDINGS_START}
${findings}
${FINDINGS_END}
`
}

/** Writes RESULTS.md and the chart into a bench's folder; returns the names of both. */
export async function writeResults(folder: URL, publication: Publication): Promise<string[]> {
  const { bench, results, variant } = publication
  const text = `${named('RESULTS', variant)}.md`
  const chart = `${named(bench.name, variant)}.svg`
  const path = new URL(text, folder)
  const old = await readFile(path, 'utf8').catch(() => '')
  await writeFile(path, renderResults(publication, findingsOf(old)))
  await writeFile(new URL(chart, folder), await renderChart(results.chart))
  return [text, chart]
}

function named(name: string, variant: string | undefined): string {
  return variant === undefined ? name : `${name}.${variant}`
}

/** Returns the text between the marks. @throws when only one mark is there: the text would be lost */
export function findingsOf(markdown: string): string {
  const start = markdown.indexOf(FINDINGS_START)
  const end = markdown.indexOf(FINDINGS_END)
  if (start < 0 && end < 0) return NO_FINDINGS
  if (start < 0 || end < start) throw new Error('RESULTS.md has lost one of the marks around its findings')
  return markdown.slice(start + FINDINGS_START.length, end).trim()
}
