import { PgBatchError } from '../../errors.ts'
import { offsetIn, type SourceOrder } from './source-order.ts'

/** A position of a checkpoint that the server has reported as committed. */
export interface CommittedPosition {
  /** The checkpoint's name. */
  readonly name: string
  readonly partition: string
  readonly order: SourceOrder
}

/**
 * How many positions, besides those that a transaction locks, are read with the lock. The latest commits are
 * enough after a failover or a restore: a server that loses a commit loses all later ones, too.
 */
const WATCHED = 200

/**
 * The highest positions that a stream knows to be committed: those that it has stored, and those that it has
 * read. A server that has a lower one has lost commits.
 */
export class CommittedPositions {
  /** By name and partition; the latest change is last. */
  readonly #positions = new Map<string, CommittedPosition>()

  /** Notes a committed position. One that is lower than the known one changes nothing. */
  note(position: CommittedPosition): void {
    const { name, partition, order } = position
    const known = this.of(name, partition)
    if (known && known.order >= order) return
    const key = keyOf(name, partition)
    this.#positions.delete(key)
    this.#positions.set(key, position)
  }

  of(name: string, partition: string): CommittedPosition | undefined {
    return this.#positions.get(keyOf(name, partition))
  }

  /** The positions that were committed last, of any name and partition. */
  latest(): readonly CommittedPosition[] {
    return [...this.#positions.values()].slice(-WATCHED)
  }
}

/** PostgreSQL's text cannot hold a NUL, so it separates the two. */
function keyOf(name: string, partition: string): string {
  return `${name}\0${partition}`
}

/** Returns true when the server has lost commits: its position is lower, or missing. */
export function isRegressed({ order }: CommittedPosition, stored: SourceOrder | undefined): boolean {
  return stored === undefined || stored < order
}

/**
 * Makes the error of a stream whose server has lost commits.
 * @param stored undefined for none
 */
export function checkpointRegressed(
  { name, partition, order }: CommittedPosition,
  stored: SourceOrder | undefined,
  { batchId, cause }: { batchId?: number | undefined; cause?: unknown } = {},
): PgBatchError {
  const where = partition === '' ? '' : `, partition ${JSON.stringify(partition)},`
  const now = stored === undefined ? 'has no position' : `is at offset ${offsetIn(stored)}`
  const reason =
    `The checkpoint ${JSON.stringify(name)}${where} ${now}, but this stream knows that ` +
    `${offsetIn(order)} was committed: the server has lost commits (a failover to a standby that lagged, ` +
    'a restore, a crash with `synchronous_commit = off`), or the position was changed by hand. ' +
    'Call `readCheckpoint` again, and write what follows it with a new stream'
  return new PgBatchError('CHECKPOINT_REGRESSED', reason, { outcome: 'rolled-back', batchId, cause })
}
