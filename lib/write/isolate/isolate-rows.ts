import type { PgBatchError } from '../../errors.ts'

/** Why a piece of rows was refused. Its effects are undone. */
export interface PieceFailure {
  readonly error: PgBatchError
  /** The row that caused the error, where the server has named it. */
  readonly at: number | undefined
}

/** The outcome of rows that were written one by one. */
export interface EachWritten {
  /** The index after the last of them: where it is the first one's, that row can only go as a piece. */
  readonly to: number
  /** The errors of those that were refused, in the order of the rows. */
  readonly refused: ReadonlyMap<number, PgBatchError>
}

export interface IsolateOptions {
  /** How many rows there are. */
  readonly count: number
  /** The failure of an earlier attempt at all rows. */
  readonly first?: PieceFailure | undefined
  /** Writes rows `from` to `to` (exclusive); resolves to undefined when they are written. */
  readonly write: (from: number, to: number) => Promise<PieceFailure | undefined>
  /**
   * Writes rows `from` to `to` (exclusive), or the first of them, by a statement for each, in one round trip.
   * Undefined where that is not possible.
   */
  readonly writeEach?: ((from: number, to: number) => Promise<EachWritten>) | undefined
  /** Receives each row that cannot be written, in the order of rows. May throw, which ends the work. */
  readonly reject: (index: number, error: PgBatchError) => void
}

/** The first piece is this fraction of the rows, so that one bad row costs no more than that again. */
const FIRST_PIECE_PART = 8

/** Pieces double after this many of one size have passed. */
const PIECES_BEFORE_GROWTH = 4

/**
 * Pieces of so few rows cost more than their rows do one by one: a refused row costs three to five pieces, of
 * which each takes a round trip and about a millisecond. A row of its own takes 25 µs, with a savepoint, and
 * 40 µs if it is refused.
 */
const MAX_ROWS_OF_EACH = 100

/** How many rows go one by one in one round trip. */
const ROWS_AT_ONCE = 256

/**
 * Writes every row that can be written and rejects each one that cannot. The number of rows sent stays linear
 * however many rows are bad.
 *
 * The server reports a bad row only after it was sent a piece. Where it names the row, the rows before it are
 * sent again, that row is rejected, and the rest continues in smaller pieces. Where it does not (a foreign
 * key), the piece is halved down to the row. A bad row halves the size of pieces, and only four passed pieces
 * double it, so that less is sent for nothing than is written. Small pieces are sent row by row instead, for
 * as long as so many rows are refused.
 */
export async function isolateRows(options: IsolateOptions): Promise<void> {
  const { count, first, write, writeEach, reject } = options
  let from = 0
  let passed = 0

  // the rows before the named one were fine: they go as one piece, unless something has changed since
  if (first?.at !== undefined) {
    const failure = first.at > 0 ? await write(0, first.at) : undefined
    if (!failure) {
      reject(first.at, first.error)
      from = first.at + 1
    }
  }
  let size = Math.max(1, Math.ceil((count - from) / FIRST_PIECE_PART))
  let oneByOne = false

  while (from < count) {
    if (oneByOne && writeEach) {
      const { to, refused } = await writeEach(from, Math.min(from + ROWS_AT_ONCE, count))
      for (const [index, error] of refused) reject(index, error)
      size = Math.max(1, Math.floor((to - from) / (refused.size + 1)))
      oneByOne = to === from || (refused.size > 0 && size <= MAX_ROWS_OF_EACH)
      if (to > from) {
        from = to
        continue
      }
    }
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
    from = await rejectFirst(from, Math.min(from + size, count), failure, options)
    size = Math.max(1, Math.floor(size / 2))
    oneByOne = size <= MAX_ROWS_OF_EACH
  }
}

/**
 * Rejects the first bad row of a failed piece, after writing the rows before it. Returns the index after it.
 */
async function rejectFirst(
  from: number,
  to: number,
  failure: PieceFailure,
  { write, writeEach, reject }: IsolateOptions,
): Promise<number> {
  let low = from
  let high = to
  let known = failure
  while (true) {
    if (known.at === low || high - low <= 1) {
      reject(low, known.error)
      return low + 1
    }
    if (writeEach && known.at === undefined && high - low <= MAX_ROWS_OF_EACH) {
      const each = await writeEach(low, high)
      for (const [index, error] of each.refused) reject(index, error)
      if (each.to > low) return each.to
    }
    // when a row is named: all before it; else half of what is left
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
      // the halves passed, so the last row has caused the error; it needs an attempt of its own to know its
      // error
      if (known.at === undefined && high - low === 1) {
        const last = await write(low, high)
        if (!last) return high
        known = last
      }
    }
  }
}
