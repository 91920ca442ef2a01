import { copyBytes } from '../../csv/copy-bytes.ts'
import { PLACE_NUMBERS, RecordTable, type RecordTableOptions } from '../../csv/record-table.ts'

/** The place of each record, at the beginning of the memory. */
const ENTRY_BYTES = PLACE_NUMBERS * Uint32Array.BYTES_PER_ELEMENT

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

/**
 * Copies records into memory that threads share, with what is between them. Passing memory from thread to
 * thread instead would cost more: each piece would be new memory, whose pages the system clears.
 * @param slotFor returns memory of at least so many bytes
 */
export function shareRecords(records: RecordTable, slotFor: (bytes: number) => SharedSlot): SharedSlot {
  const { runs, places, length } = records
  const tableBytes = length * ENTRY_BYTES
  const startOf = (index: number): number => places[index * PLACE_NUMBERS]!
  const endOf = (index: number): number => places[index * PLACE_NUMBERS + 1]!
  let first = 0
  let bytesNeeded = tableBytes
  for (const { next } of runs) {
    bytesNeeded += endOf(next - 1) - startOf(first)
    first = next
  }
  const slot = slotFor(bytesNeeded)
  const { table, bytes } = slot
  let to = tableBytes
  let index = 0
  for (const { bytes: chunk, next } of runs) {
    const start = startOf(index)
    const end = endOf(next - 1)
    copyBytes(chunk, start, end, bytes, to)
    const shift = to - start
    for (let entry = index * PLACE_NUMBERS; index < next; index++, entry += PLACE_NUMBERS) {
      table[entry] = places[entry]! + shift
      table[entry + 1] = places[entry + 1]! + shift
      table[entry + 2] = places[entry + 2]!
    }
    to += end - start
  }
  return slot
}

/** What the memory does not say about its records. */
interface SharedPart extends Pick<RecordTableOptions, 'firstLine' | 'firstNumber' | 'faults'> {
  readonly count: number
}

/**
 * Returns the records in shared memory. They are valid until the memory gets others.
 * @param firstLine the line from which the lines in the memory count
 * @param firstNumber the number of the first record; the others follow
 */
export function sharedRecords(
  { bytes, table: places }: SharedSlot,
  { count, ...part }: SharedPart,
): RecordTable {
  return new RecordTable({ runs: [{ bytes, next: count }], places, ...part })
}
