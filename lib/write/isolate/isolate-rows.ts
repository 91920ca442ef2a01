import type { PgBatchError } from '../../errors.ts'

/** Why a piece of rows was refused; everything it did is undone. */
export interface PieceFailure {
  readonly error: PgBatchError
  /** The row that is to blame, where the server has named it. */
  readonly at: number | undefined
}

export interface IsolateOptions {
  /** How many rows there are. */
  readonly count: number
  /** What an earlier attempt at all of them has told. */
  readonly first?: PieceFailure | undefined
  /** Writes rows `from` to `to` (exclusive); resolves to undefined when they are in. */
  readonly write: (from: number, to: number) => Promise<PieceFailure | undefined>
  /** A row that cannot be written, in the order of rows. May throw, which ends the work. */
  readonly reject: (index: number, error: PgBatchError) => void
}

/** Pieces begin at this part of the rows: one bad row then costs no more than that again. */
const FIRST_PIECE_PART = 8

/** A piece may double once this many of its size have passed in a row. */
const PIECES_BEFORE_GROWTH = 4

/**
 * Writes every row that can be written and rejects each one that cannot, at a cost in rows sent that stays linear
 * however many are bad.
 *
 * The server tells of a bad row only after it was sent a piece. Where it names the row, the rows before it are sent
 * again as they are known to be good, that row is rejected, and the rest goes on in smaller pieces; where it does not
 * (a foreign key), the piece is halved down to the row. Pieces shrink by half at each bad row and grow only after four
 * of their size have passed, so that what is sent in vain is at most a part of what is not.
 */
export async function isolateRows({ count, first, write, reject }: IsolateOptions): Promise<void> {
  let from = 0
  let passed = 0

  // rows before the named one had been taken: they go as one piece, unless something has changed since
  if (first?.at !== undefined) {
    const failure = first.at > 0 ? await write(0, first.at) : undefined
    if (!failure) {
      reject(first.at, first.error)
      from = first.at + 1
    }
  }
  let size = Math.max(1, Math.ceil((count - from) / FIRST_PIECE_PART))

  while (from < count) {
    const failure = await write(from, Math.min(from + size, count))
    if (!failure) {
      from = Math.min(from + size, count)
      if (++passed >= PIECES_BEFORE_GROWTH) {
        size *= 2
        passed = 0
      }
      continue
    }
    passed = 0
    from = await rejectFirst(from, Math.min(from + size, count), failure, write, reject)
    size = Math.max(1, Math.floor(size / 2))
  }
}

/** Rejects the first bad row of a piece that failed, the rows before it being in; returns the index behind it. */
async function rejectFirst(
  from: number,
  to: number,
  failure: PieceFailure,
  write: IsolateOptions['write'],
  reject: IsolateOptions['reject'],
): Promise<number> {
  let low = from
  let high = to
  let known = failure
  while (true) {
    if (known.at !== undefined && known.at === low) {
      reject(low, known.error)
      return low + 1
    }
    if (high - low <= 1) {
      reject(low, known.error)
      return low + 1
    }
    // with a row's name: all before it; without one: half of what is left
    const middle =
      known.at !== undefined && known.at > low && known.at < high
        ? known.at
        : low + Math.ceil((high - low) / 2)
    const next = await write(low, middle)
    if (next) {
      high = middle
      known = next
    } else {
      low = middle
      // halves that passed leave the blame with the rest, whose error is the one that is known
      if (known.at === undefined && high - low === 1) {
        const last = await write(low, high)
        if (!last) return high
        known = last
      }
    }
  }
}
