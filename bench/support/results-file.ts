import { readFile, writeFile } from 'node:fs/promises'
import type { Bench, BenchResults } from './bench.ts'
import { renderChart } from './chart.ts'
import { renderTable } from './markdown.ts'

const FINDINGS_START = '<!-- findings: written by hand, kept by a re-run -->'
const FINDINGS_END = '<!-- end of findings -->'
const NO_FINDINGS = 'None written yet.'

/** What one bench publishes. */
export interface Publication {
  readonly bench: Bench
  readonly results: BenchResults
  readonly machine: string
  /** The table that `--table` named, whose results have files of their own. */
  readonly variant?: string
}

/** RESULTS.md of a bench: all of it is new, except for what a person has written between the marks of the findings. */
export function renderResults(
  { bench: { name, question }, results, machine, variant }: Publication,
  findings: string,
): string {
  const { caveat, method, tables, chart } = results
  return `# ${named(name, variant)}

${question} \`npm run bench -- ${name}${variant ? ` --table ${variant}` : ''}\` measures it again.

**Caveat (read first).** ${caveat}

## Method

${method}

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

/** What stands between the marks. @throws when only one of them is there, for the text would be lost */
export function findingsOf(markdown: string): string {
  const start = markdown.indexOf(FINDINGS_START)
  const end = markdown.indexOf(FINDINGS_END)
  if (start < 0 && end < 0) return NO_FINDINGS
  if (start < 0 || end < start) throw new Error('RESULTS.md has lost one of the marks around its findings')
  return markdown.slice(start + FINDINGS_START.length, end).trim()
}
