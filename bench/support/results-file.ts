import { readFile, writeFile } from 'node:fs/promises'
import type { Bench, BenchResults } from './bench.ts'
import { renderChart } from './chart.ts'
import { renderTable } from './markdown.ts'

const FINDINGS_START = '<!-- findings: written by hand, kept by a re-run -->'
const FINDINGS_END = '<!-- end of findings -->'
const NO_FINDINGS = 'None written yet.'

/** RESULTS.md of a bench: all of it is new, except for what a person has written between the marks of the findings. */
export function renderResults(
  { name, question }: Bench,
  { caveat, method, tables, chart }: BenchResults,
  machine: string,
  findings: string,
): string {
  return `# ${name}

${question} \`npm run bench -- ${name}\` measures it again.

**Caveat (read first).** ${caveat}

## Method

${method}

## Machine and versions

${machine}

## Results

![${chart.title}](./${name}.svg)

${tables.map(renderTable).join('\n\n')}

## Findings

${FINDINGS_START}
${findings}
${FINDINGS_END}
`
}

/** Writes RESULTS.md and the chart into a bench's folder. */
export async function writeResults(
  folder: URL,
  bench: Bench,
  results: BenchResults,
  machine: string,
): Promise<void> {
  const path = new URL('RESULTS.md', folder)
  const old = await readFile(path, 'utf8').catch(() => '')
  await writeFile(path, renderResults(bench, results, machine, findingsOf(old)))
  await writeFile(new URL(`${bench.name}.svg`, folder), await renderChart(results.chart))
}

/** What stands between the marks. @throws when only one of them is there, for the text would be lost */
export function findingsOf(markdown: string): string {
  const start = markdown.indexOf(FINDINGS_START)
  const end = markdown.indexOf(FINDINGS_END)
  if (start < 0 && end < 0) return NO_FINDINGS
  if (start < 0 || end < start) throw new Error('RESULTS.md has lost one of the marks around its findings')
  return markdown.slice(start + FINDINGS_START.length, end).trim()
}
