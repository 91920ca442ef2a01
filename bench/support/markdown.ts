/** A table with a title above it and, optionally, a remark below. */
export interface MarkdownTable {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly remark?: string
}

const LINE_WIDTH = 110

/** Breaks the paragraphs and list items of a Markdown text at 110 columns. */
export function wrapProse(markdown: string): string {
  return markdown.replace(/^(?!\|)(- )?.*(?:\n(?!\n|- |\|).+)*/gm, (block, bullet = '') => {
    const lines: string[] = []
    let line = ''
    for (const word of block.slice(bullet.length).split(/\s+/)) {
      const longer = line === '' ? word : `${line} ${word}`
      if (bullet.length + longer.length <= LINE_WIDTH) line = longer
      else {
        lines.push(line)
        line = word
      }
    }
    return bullet + [...lines, line].join(`\n${' '.repeat(bullet.length)}`)
  })
}

/** Renders a table as Markdown whose source reads well too: columns are padded, numbers to the right. */
export function renderTable({ title, header, rows, remark }: MarkdownTable): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map(row => row[column]!.length), 3))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column]!, column)).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [`### ${title}`, '', line(header), rule, ...rows.map(line), ...(remark ? ['', remark] : [])].join(
    '\n',
  )
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
