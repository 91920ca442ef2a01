import { Readable } from 'node:stream'
import type { SourceRow } from '../sources/rows.ts'

/** A row with its number in the file, from 1: what a checkpoint counts by. */
export interface NumberedRow {
  readonly row: SourceRow
  readonly number: number
}

export interface IntakeOptions {
  /** Rows at the beginning that are not handed on: they are in the table already. */
  readonly skip: number
  /** Hands on `NumberedRow`s; else the rows as they are. */
  readonly numbered: boolean
}

/**
 * Stands between a file and the batches: it counts, leaves out what an earlier run has written, and can end early,
 * so that what was taken in is still written. A source in front of a `pipeline` could only be destroyed.
 */
export class RowIntake extends Readable {
  readonly #source: Readable
  readonly #numbered: boolean
  #toSkip: number
  #rowsRead = 0
  #waiting = false
  #over = false
  #stopped = false

  constructor(source: Readable, { skip, numbered }: IntakeOptions) {
    super({ objectMode: true, highWaterMark: 64 })
    this.#source = source
    this.#toSkip = skip
    this.#numbered = numbered
    source.on('readable', () => this.#waiting && this.#pull())
    source.once('end', () => this.#end())
    source.once('error', error => this.destroy(error))
    if (source.errored) this.destroy(source.errored)
    else if (source.readableEnded) this.#end()
  }

  /** Rows taken from the file, those that were skipped among them. */
  get rowsRead(): number {
    return this.#rowsRead
  }

  /** The rows ended before the file did. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends the rows here. False when they had come to their end already. */
  stop(): boolean {
    if (this.#over) return false
    this.#stopped = true
    this.#end()
    this.#source.destroy()
    return true
  }

  override _read(): void {
    this.#pull()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#over = true
    this.#source.destroy()
    callback(error)
  }

  #pull(): void {
    this.#waiting = false
    while (!this.#over) {
      const row: SourceRow | null = this.#source.read()
      if (row === null) {
        this.#waiting = true
        return
      }
      this.#rowsRead++
      if (this.#toSkip > 0) this.#toSkip--
      else if (!this.push(this.#numbered ? { row, number: this.#rowsRead } : row)) return
    }
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.push(null)
  }
}
