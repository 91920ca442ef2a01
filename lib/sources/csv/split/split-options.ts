import type { FoundRecords, WasmSplitter } from './wasm-splitter.ts'

/** What to do about malformed records. */
export interface SplitOptions {
  /** Pass on malformed records with their fault instead of throwing. */
  readonly keepsMalformed?: boolean
  /** Their faults do not say where reading continues: the caller may stop at one. @default false */
  readonly mayStop?: boolean
  /** A quote inside an unquoted field is text. Called before each record with one is taken. */
  readonly onStrayQuote?: (() => void) | undefined
  /** Lines of the file that were skipped before the first byte. @default 0 */
  readonly linesBefore?: number | undefined
  /** Splits the records that it can. @default undefined: all are split here */
  readonly wasm?: WasmSplitter | undefined
  /**
   * Called in place of `take` with many records of a chunk, where the first begins on the line. Returns false
   * if they are to be taken one by one.
   */
  readonly takeMany?: ((chunk: Buffer, found: FoundRecords, line: number) => boolean) | undefined
}

/** Takes a record: the place of its bytes in a chunk, its line, and why it is malformed. */
export type TakeRecord = (
  chunk: Buffer,
  start: number,
  end: number,
  line: number,
  fault: string | undefined,
) => void
