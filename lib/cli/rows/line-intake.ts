import type { Readable } from 'node:stream'
import { JsonRecord } from '../../json/record.ts'
import { type JsonLine, parsedLine } from '../../sources/json/ndjson.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { BatchIntake, type BatchIntakeOptions } from './intake.ts'
import { type NumberedRow, passedOn, type RowOptions } from './row-intake.ts'

/** What is passed on of a line: the line itself, or its row. */
export type LineItem = JsonRecord | SourceRow | NumberedRow

export interface LineIntakeOptions extends BatchIntakeOptions<LineItem[]>, RowOptions {
  /** Returns true for a line that can be written as it is. Others are parsed here. */
  readonly isPlain: (record: JsonRecord) => boolean
}

/** The intake of lines of NDJSON, which come in arrays. */
export class LineIntake extends BatchIntake<JsonLine[], LineItem[]> {
  readonly #options: LineIntakeOptions

  constructor(source: Readable, options: LineIntakeOptions) {
    super(source, options)
    this.#options = options
  }

  protected override batchesOf(lines: JsonLine[]): [LineItem[]] {
    const { first, skipped } = this.count(lines.length)
    return [lines.slice(skipped).map((line, index) => this.#itemOf(line, first + skipped + index))]
  }

  #itemOf(line: JsonLine, number: number): LineItem {
    const { isPlain } = this.#options
    if (line instanceof JsonRecord && isPlain(line)) {
      line.number = number
      return line
    }
    return passedOn(parsedLine(line), number, this.#options)
  }
}
