import { copyBytes } from '../../csv/copy-bytes.ts'
import type { CsvRecord } from '../../csv/record.ts'
import { PLACE_NUMBERS, RecordTable } from '../../csv/record-table.ts'

/** The place of each record, at the beginning of the memory. */
const ENTRY_BYTES = PLACE_NUMBERS * Uint32Array.BYTES_PER_ELEMENT

/** Bytes between two records that are rather copied than left out: line ends, and blank lines. */
const MAX_GAP = 256

/** Memory grows by steps, so that it fits the next records, too. */
const STEP_BYTES = 256 * 1024

/** Memory that two threads share. Each thread makes the views once. */
export class SharedSlot {
  readonly memory: SharedArrayBuffer
  readonly bytes: Buffer
  readonly table: Uint32Array

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.bytes = Buffer.from(memory)
    this.table = new Uint32Array(memory)
  }

  /** Returns one that has room for the bytes. */
  static of(bytes: number): SharedSlot {
    return new SharedSlot(new SharedArrayBuffer(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES))
  }
}

/** Records that follow each other in one chunk of a file. */
interface Run {
  readonly chunk: Buffer
  readonly start: number
  end: number
  /** The index after the last of them. */
  next: number
}

/**
 * Copies records into memory that threads share. Passing memory from thread to thread instead would cost
 * more: each piece would be new memory, whose pages the system clears.
 * @param slotFor returns memory of at least so many bytes
 */
export function shareRecords(
  records: readonly CsvRecord[],
  slotFor: (bytes: number) => SharedSlot,
): SharedSlot {
  const runs = runsOf(records)
  const tableBytes = records.length * ENTRY_BYTES
  const slot = slotFor(runs.reduce((bytes, { start, end }) => bytes + end - start, tableBytes))
  const { table, bytes } = slot
  const firstLine = records[0]!.line
  let to = tableBytes
  let index = 0
  let entry = 0
  for (const { chunk, start, end, next } of runs) {
    copyBytes(chunk, start, end, bytes, to)
    const shift = to - start
    for (; index < next; index++) {
      const record = records[index]!
      table[entry++] = record.start + shift
      table[entry++] = record.end + shift
      table[entry++] = record.line - firstLine
    }
    to += end - start
  }
  return slot
}

/**
 * Returns the records in shared memory. They are valid until the memory gets others.
 * @param firstLine the line of the first one; the lines in the memory count from it
 * @param firstNumber its number; the others follow
 */
export function sharedRecords(
  { bytes, table: places }: SharedSlot,
  part: { count: number; firstLine: number; firstNumber: number },
  faults: ReadonlyMap<number, string> | undefined,
): RecordTable {
  return new RecordTable({ bytes, places, ...part, faults })
}

function runsOf(records: readonly CsvRecord[]): Run[] {
  const runs: Run[] = []
  let run: Run | undefined
  for (let index = 0; index < records.length; index++) {
    const { chunk, start, end } = records[index]!
    if (run !== undefined && run.chunk === chunk && start >= run.end && start - run.end <= MAX_GAP) {
      run.end = end
      run.next = index + 1
    } else {
      run = { chunk, start, end, next: index + 1 }
      runs.push(run)
    }
  }
  return runs
}
