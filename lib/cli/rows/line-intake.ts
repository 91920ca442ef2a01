import type { Readable } from 'node:stream'
import { JsonRecord } from '../../json/record.ts'
import { type JsonLine, parsedLine } from '../../sources/json/ndjson.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { Intake } from './intake.ts'
import type { IntakeOptions, NumberedRow } from './row-intake.ts'

/** What is passed on of a line: the line itself, or its row. */
export type LineItem = JsonRecord | SourceRow | NumberedRow

export interface LineIntakeOptions extends IntakeOptions {
  /** Returns true for a line that can be written as it is. Others are parsed here. */
  readonly isPlain: (record: JsonRecord) => boolean
  /** Called for each array before it is passed on. */
  readonly onBatch: (count: number) => void
}

/** The intake of lines of NDJSON, which come in arrays. */
export class LineIntake extends Intake<JsonLine[]> {
  readonly #options: LineIntakeOptions

  constructor(source: Readable, options: LineIntakeOptions) {
    super(source, 1)
    this.#options = options
  }

  protected override admit(lines: JsonLine[]): LineItem[] | undefined {
    const { skip, onBatch } = this.#options
    const batch: LineItem[] = []
    for (const line of lines) {
      const number = ++this.rowsRead
      if (number > skip) batch.push(this.#itemOf(line, number))
    }
    if (batch.length === 0) return undefined
    onBatch(batch.length)
    return batch
  }

  #itemOf(line: JsonLine, number: number): LineItem {
    const { isPlain, change, numbered } = this.#options
    if (line instanceof JsonRecord && isPlain(line)) {
      line.number = number
      return line
    }
    const parsed = parsedLine(line)
    const row = change ? change(parsed, number) : parsed
    return numbered ? { row, number } : row
  }
}
