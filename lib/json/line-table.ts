import { type ChunkRun, ChunkTable } from '../values/items/chunk-table.ts'
import { type BlockLines, JsonBlock, JsonRecord } from './record.ts'

/** Lines that follow each other in one block, or a row that was parsed. */
export interface LineRun extends ChunkRun {
  /** The block, or the row. */
  readonly lines: object
  /** The index of a line in its block is its index in the table plus this. */
  readonly shift: number
}

/** Lines of an NDJSON file as the blocks that they are in, and among them rows that were parsed. */
export class LineTable extends ChunkTable<object, LineRun> {
  constructor(runs: readonly LineRun[], firstNumber = 1) {
    super(runs, firstNumber)
  }

  /** Returns where the lines are in their blocks; undefined if one of them is a row. */
  inBlocks(): readonly BlockLines[] | undefined {
    const all: BlockLines[] = []
    let first = 0
    for (const { lines, shift, next } of this.runs) {
      if (!(lines instanceof JsonBlock)) return undefined
      all.push({ block: lines, from: first + shift, to: next + shift })
      first = next
    }
    return all
  }

  /** Returns the lines of a block from one on; undefined if it is a row. */
  blockFrom(index: number): BlockLines | undefined {
    const { lines, shift, next } = this.runOf(index)
    return lines instanceof JsonBlock ? { block: lines, from: index + shift, to: next + shift } : undefined
  }

  override slice(from: number, to = this.length): LineTable {
    const end = Math.min(to, this.length)
    if (from === 0 && end === this.length) return this
    const runs = this.runsBetween(from, end).map(run => ({ ...run, shift: run.shift + from }))
    return new LineTable(runs, this.firstNumber + from)
  }

  protected override makeItem(index: number, { lines, shift }: LineRun): object {
    if (!(lines instanceof JsonBlock)) return lines
    return new JsonRecord(lines, index + shift, this.firstNumber + index)
  }

  protected override holdRun({ lines }: LineRun): void {
    if (lines instanceof JsonBlock) lines.hold()
  }

  protected override releaseRun({ lines }: LineRun): void {
    if (lines instanceof JsonBlock) lines.release()
  }
}
