import { MAX_TIMER_MS } from '../values/time/timer-limit.ts'
import { type BoundValue, executeMessages, SYNC } from './bound-rows.ts'
import type { PgClientLike, PgConnectionLike } from './pg-types.ts'
import { noteStatementError } from './server-error.ts'
import { queryMessage } from './simple-query.ts'
import { Submittable } from './submittable.ts'

/** The statement that writes one row, and those around it. The server skips what follows one that fails. */
export interface RowStep {
  /** The statement, for spans. */
  readonly text: string
  readonly messages: readonly Uint8Array[]
  readonly isCopy: boolean
}

/** Statements around the one that writes a row. */
export interface AroundRow {
  /** One statement, which runs even if the step before has failed. */
  readonly before: string
  /** The first one may fail because of the row. */
  readonly after: readonly string[]
}

/** Returns a step that writes a row by a COPY … FROM STDIN. */
export function copyStep(text: string, data: Uint8Array, { before, after }: AroundRow): RowStep {
  const header = Buffer.from('d\0\0\0\0')
  header.writeInt32BE(data.length + 4, 1)
  const query = queryMessage([before, text, ...after].join('; '))
  return { text, messages: [query, header, data, COPY_DONE], isCopy: true }
}

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]) // 'c'

/** Returns a step that writes a row by a statement with parameters. */
export function boundStep(
  text: string,
  values: readonly BoundValue[],
  { before, after }: AroundRow,
): RowStep {
  const messages = [
    ...executeMessages(before),
    ...executeMessages(text, values),
    ...after.flatMap(statement => executeMessages(statement)),
    SYNC,
  ]
  return { text, messages, isCopy: false }
}

/**
 * One of several steps that travel together, without waiting for the answers in between. The server runs each
 * one even if one before it fails: `before` has to make that harmless, as ROLLBACK TO SAVEPOINT does.
 *
 * A Submittable of `pg`, as CopyIn is one. The next one is handed to pg when this one is answered, because pg
 * warns of several that wait.
 */
export class SentStep extends Submittable {
  /** The caller limits each answer, see `CopyIn`. */
  readonly query_timeout = MAX_TIMER_MS
  readonly #client: PgClientLike
  readonly #isCopy: boolean
  /** What is sent when this one is submitted: the bytes of all, with the first one. */
  #bytes: Uint8Array | undefined
  #next: SentStep | undefined
  #copying = false
  /** The command tags so far: of `before`, of the statement, and of those after it. */
  readonly #tags: string[] = []

  /** Sends the steps. Wait for the `settled` of each. */
  static open(client: PgClientLike, steps: readonly RowStep[]): SentStep[] {
    const sent = steps.map(step => new SentStep(client, step))
    for (const [index, one] of sent.entries()) one.#next = sent[index + 1]
    sent[0]!.#bytes = Buffer.concat(steps.flatMap(({ messages }) => messages))
    sent[0]!.submitTo(client)
    return sent
  }

  private constructor(client: PgClientLike, { text, isCopy }: RowStep) {
    super(text)
    this.#client = client
    this.#isCopy = isCopy
  }

  /** How many rows the statement has changed; undefined if its tag has no count. */
  get changed(): number | undefined {
    const count = / (\d+)$/.exec(this.#tags[1] ?? '')
    return count ? Number(count[1]) : undefined
  }

  #submitNext(): void {
    const next = this.#next
    this.#next = undefined // pg may report a second error, when the connection ends
    next?.submitTo(this.#client)
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  submit({ stream }: PgConnectionLike): void {
    if (this.#bytes) stream.write(this.#bytes)
    this.#bytes = undefined
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCopyInResponse(): void {
    this.#copying = true
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#tags.push(text)
  }

  override handleError(error: Error): void {
    const mayBeRow = this.#copying || !this.#isCopy
    if (!mayBeRow || this.#tags.length < 1 || this.#tags.length > 2) noteStatementError(error)
    super.handleError(error)
    this.#submitNext()
  }

  override handleReadyForQuery(): void {
    super.handleReadyForQuery()
    this.#submitNext()
  }
}
