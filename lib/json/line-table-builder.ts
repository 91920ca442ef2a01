import { type LineRun, LineTable } from './line-table.ts'
import { type BlockLines, JsonBlock } from './record.ts'

/** Collects lines, and makes tables of them. */
export class LineTableBuilder {
  /** How many lines there are. */
  length = 0
  /** How many bytes they have, about. */
  bytes = 0
  #runs: LineRun[] = []

  /** Adds lines that follow each other in a block. */
  addLines({ block, from, to }: BlockLines): void {
    block.hold()
    this.#add(block, from, to)
    this.bytes += block.endOf(to - 1) - block.startOf(from)
  }

  /** Adds a row, and how many bytes its line has. */
  addRow(row: object, bytes: number): void {
    this.#add(row, 0, 1)
    this.bytes += bytes
  }

  /** Returns the lines as a table, and begins another one. Undefined if there are none. */
  take(): LineTable | undefined {
    if (this.length === 0) return undefined
    const table = new LineTable(this.#runs)
    for (const { lines } of this.#runs) if (lines instanceof JsonBlock) lines.release() // the table holds it
    this.length = 0
    this.bytes = 0
    this.#runs = []
    return table
  }

  #add(lines: object, from: number, to: number): void {
    const shift = from - this.length
    this.length += to - from
    this.#runs.push({ lines, shift, next: this.length })
  }
}
