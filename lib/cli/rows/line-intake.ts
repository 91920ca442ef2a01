import type { Readable } from 'node:stream'
import type { LineTable } from '../../json/line-table.ts'
import { type BlockLines, JsonRecord } from '../../json/record.ts'
import { parsedLine } from '../../sources/json/ndjson.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { BatchIntake, type BatchIntakeOptions } from './intake.ts'
import { type NumberedRow, passedOn, type RowOptions } from './row-intake.ts'

/** Lines that are all written as they are, or what is passed on of each: the line itself, or its row. */
export type LineBatch = LineTable | readonly (JsonRecord | SourceRow | NumberedRow)[]

export interface LineIntakeOptions extends BatchIntakeOptions<LineBatch>, RowOptions {
  /** Returns true for lines that can be written as they are. Others are parsed here. */
  readonly arePlain: (lines: BlockLines) => boolean
}

/** The intake of lines of NDJSON. They come in tables and are numbered here. */
export class LineIntake extends BatchIntake<LineTable, LineBatch> {
  readonly #options: LineIntakeOptions

  constructor(source: Readable, options: LineIntakeOptions) {
    super(source, options)
    this.#options = options
  }

  protected override batchesOf(taken: LineTable): [LineBatch] {
    const { first, skipped } = this.count(taken.length)
    taken.firstNumber = first
    const lines = taken.slice(skipped)
    if (lines.inBlocks()?.every(this.#options.arePlain)) return [lines]
    return [Array.from(lines, (line, index) => this.#itemOf(line, lines.firstNumber + index))]
  }

  #itemOf(line: object, number: number): JsonRecord | SourceRow | NumberedRow {
    if (line instanceof JsonRecord && this.#options.arePlain(line.lines)) return line
    return passedOn(parsedLine(line), number, this.#options)
  }
}
