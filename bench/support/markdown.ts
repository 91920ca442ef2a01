/** A table with a title above it and, perhaps, a remark below. */
export interface MarkdownTable {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly remark?: string
}

/** Markdown that reads well unrendered, too: columns are padded, all but the first to the right. */
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
