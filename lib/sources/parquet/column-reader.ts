import type { BlockColumn, ColumnChunk } from '../../columnar/block.ts'
import { lengthOf } from '../../columnar/stored-values.ts'

/** Reads a column of one row group, some rows at a time. */
export abstract class ColumnReader {
  #chunk: ColumnChunk | undefined
  #rows = 0
  #at = 0

  /** The number of rows that can be taken now. */
  get available(): number {
    return this.#rows - this.#at
  }

  /** Makes rows available, unless the column has ended. Called when there are none. */
  async fill(): Promise<void> {
    this.#releaseChunk()
    this.#chunk = await this.read()
    this.#rows = this.#chunk ? rowsOf(this.#chunk) : 0
    this.#at = 0
  }

  /** Releases the memory of the rows, after the last of them is taken. */
  close(): void {
    this.#releaseChunk()
  }

  #releaseChunk(): void {
    this.#chunk?.release()
    this.#chunk = undefined
  }

  take(count: number): BlockColumn {
    const start = this.#at
    this.#at += count
    return { chunk: this.#chunk!, start }
  }

  /** Returns the next rows, which are held for the caller; undefined after the last ones. */
  protected abstract read(): Promise<ColumnChunk | undefined>
}

export function rowsOf({ positions, values }: ColumnChunk): number {
  return positions?.length ?? lengthOf(values)
}
