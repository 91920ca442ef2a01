import type { PgSubmittable, PgTransactionClient } from '../../pg-transaction-client.ts'
import type { PgClientLike, PgResultLike } from '../../pg-types.ts'
import { CallbackMisuse } from './callback-limits.ts'
import { type TransactionControl, transactionControl } from './transaction-control.ts'

/** An object that `pg` runs as a query: a stream of pg-copy-streams, a cursor, a `pg.Query`. */
interface Submittable extends PgSubmittable {
  text?: unknown
  handleReadyForQuery(...args: unknown[]): unknown
  handleError(...args: unknown[]): unknown
  on?(event: 'error', listener: () => void): unknown
  /** A Writable has these, such as a COPY … FROM STDIN. */
  readonly writableEnded?: boolean
  readonly destroyed?: boolean
}

type Callback = (error: Error | undefined, result?: unknown) => void

/** A call of `query`, in any of the forms that pg takes. */
interface QueryCall {
  readonly text: string | undefined
  readonly submittable: Submittable | undefined
  readonly callback: Callback | undefined
  /** The arguments without the callback: pg returns a promise then. */
  readonly args: readonly unknown[]
}

/** How long a stream or a cursor may take to end after its callback has: its last answer is on its way. */
const ENDING_MS = 1000

const ADVICE =
  'BEGIN, COMMIT and ROLLBACK are savepoints there, each as a query of its own. ' +
  'To undo the whole batch, throw'

/**
 * The client that a callback gets. It is inside the stream's transaction, which only the stream may end:
 * BEGIN, COMMIT and ROLLBACK nest in it as savepoints, so that an ORM's transactions work, and what cannot
 * nest is refused.
 *
 * An answer of the server may take as long as that of a statement of ours. Streams and cursors have only the
 * deadline of the callback as a whole; those that the callback leaves open fail it.
 */
export class CallbackClient {
  readonly client: PgTransactionClient
  readonly #target: PgClientLike
  readonly #answered: <T>(answer: Promise<T>) => Promise<T>
  /** The savepoints of the open nested transactions, the outermost one first. */
  readonly #nested: string[] = []
  #savepoints = 0
  readonly #running = new Set<Promise<unknown>>()
  readonly #streams = new Map<Submittable, string>()
  #onStreamEnd: (() => void) | undefined
  #refusal: CallbackMisuse | undefined
  #revoked = false
  readonly #option: string

  /**
   * @param option the option whose callback gets the client, as messages name it
   * @param answered waits for an answer of the server, with a deadline
   */
  constructor(option: string, target: PgClientLike, answered: <T>(answer: Promise<T>) => Promise<T>) {
    this.#option = option
    this.#target = target
    this.#answered = answered
    const query = (...args: unknown[]): unknown => this.#query(args)
    const release = (): never => {
      throw this.#misuse('may not release or end its client, which goes back to the pool by itself')
    }
    const connection = (): never => {
      throw this.#misuse("may not use its client's connection, where answers would come out of step")
    }
    this.client = new Proxy(target as PgTransactionClient, {
      get(client, key) {
        if (key === 'query') return query
        if (key === 'release' || key === 'end') return release
        if (key === 'connection') return connection()
        const value: unknown = Reflect.get(client, key, client)
        return typeof value === 'function' ? value.bind(client) : value
      },
      // a copy of the client, such as `{ ...client }`, leaves it out and does not ask for it
      ownKeys: client => Reflect.ownKeys(client).filter(key => key !== 'connection'),
    })
  }

  /** True while the connection cannot take another statement, and possibly forever. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.hasOpenStream
  }

  get hasOpenStream(): boolean {
    return this.#streams.size > 0
  }

  /**
   * Waits for the queries that the callback has not waited for, and for those that follow them.
   * @throws CallbackMisuse when it has left a COPY, a cursor or a transaction open, or something was refused
   */
  async settle(): Promise<void> {
    while (this.isBusy) {
      if (this.hasOpenStream) await this.#streamsEnded()
      await Promise.allSettled(this.#running)
      await new Promise(resolve => setImmediate(resolve)) // what has waited for their answers sends more
    }
    if (this.#refusal) throw this.#refusal
    if (this.#nested.length > 0) throw this.#misuse('has left a BEGIN without its COMMIT or ROLLBACK')
  }

  /**
   * Refuses every further query, because the client goes back to the pool. Listens to the errors of streams
   * that are still open: they fail with their connection, and would end the process without a listener.
   */
  revoke(): void {
    this.#revoked = true
    for (const stream of this.#streams.keys()) stream.on?.('error', () => {})
  }

  async #streamsEnded(): Promise<void> {
    for (const [{ writableEnded, destroyed }, what] of this.#streams) {
      if (writableEnded === false && !destroyed) throw this.#leftOpen(what)
    }
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      timer = setTimeout(resolve, ENDING_MS)
      this.#onStreamEnd = resolve
    })
    clearTimeout(timer)
    for (const what of this.#streams.values()) throw this.#leftOpen(what)
  }

  #leftOpen(what: string): CallbackMisuse {
    return this.#misuse(`has left ${what} open: end it, and wait until it has ended`)
  }

  #query(args: readonly unknown[]): unknown {
    const { text, submittable, callback, args: bare } = readCall(args)
    if (this.#revoked) {
      return settled(
        Promise.reject(this.#misuse('has ended, and its client may not be used any more')),
        callback,
      )
    }
    const control = text === undefined ? undefined : transactionControl(text)
    if (submittable) return this.#submit(submittable, args, control)
    if (!control) return settled(this.#send(bare), callback)
    const answer = this.#nest(control)
    answer.catch(() => {}) // `settle` reports a refusal, even if the callback ignores the answer
    return settled(answer, callback)
  }

  #send(args: readonly unknown[]): Promise<unknown> {
    const answer: unknown = Reflect.apply(this.#target.query, this.#target, args)
    // a wrapper of the client may return something other than a promise
    if (!isPromise(answer)) return Promise.resolve(answer)
    const limited = this.#answered(answer)
    const running = limited.catch(() => {}).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return limited
  }

  /** Runs BEGIN, COMMIT or ROLLBACK as a savepoint; the answer names the command that was asked for. */
  async #nest(control: TransactionControl): Promise<unknown> {
    const { text, undo } = this.#savepointOf(control)
    try {
      const answer = await this.#send([text])
      const result = (Array.isArray(answer) ? answer.at(-1) : answer) as PgResultLike
      if (result) result.command = control.kind.toUpperCase()
      return result
    } catch (error) {
      undo()
      throw error
    }
  }

  /**
   * Returns the savepoint statement for a command, and what undoes its effect here if it fails.
   * @throws CallbackMisuse for a command that cannot nest
   */
  #savepointOf(control: TransactionControl): { text: string; undo: () => void } {
    if (control.kind === 'refused') throw this.#refuse(control.what)
    const nested = this.#nested
    if (control.kind === 'begin') {
      const name = `pg_batch_nested_${++this.#savepoints}`
      nested.push(name)
      return { text: `SAVEPOINT ${name}`, undo: () => void nested.splice(nested.lastIndexOf(name), 1) }
    }
    const name = nested.pop()
    if (name === undefined) throw this.#refuse(`${control.kind.toUpperCase()} without a BEGIN of its own`)
    const text =
      control.kind === 'commit'
        ? `RELEASE SAVEPOINT ${name}`
        : `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`
    return { text, undo: () => void nested.push(name) } // a COMMIT that fails can still be rolled back
  }

  #submit(
    submittable: Submittable,
    args: readonly unknown[],
    control: TransactionControl | undefined,
  ): unknown {
    if (control) submittable.text = this.#savepointOf(control).text
    this.#watch(submittable)
    return Reflect.apply(this.#target.query, this.#target, args)
  }

  /** Notices the end of a stream or cursor by the methods that pg calls. */
  #watch(submittable: Submittable): void {
    const isCopy = typeof submittable.text === 'string' && /^\s*copy\b/i.test(submittable.text)
    this.#streams.set(submittable, isCopy ? 'a COPY' : 'a cursor or a stream')
    const ended = (): void => {
      this.#streams.delete(submittable)
      if (this.#streams.size === 0) this.#onStreamEnd?.()
    }
    for (const name of ['handleReadyForQuery', 'handleError'] as const) {
      const handle = submittable[name]
      submittable[name] = (...args) => {
        ended()
        return Reflect.apply(handle, submittable, args)
      }
    }
  }

  /** Fails the callback even if it ignores the error: it may rely on the effect of what was refused. */
  #refuse(what: string): CallbackMisuse {
    this.#refusal ??= this.#misuse(
      `may not use ${what}: its client is inside the stream's transaction. ${ADVICE}`,
    )
    return this.#refusal
  }

  #misuse(what: string): CallbackMisuse {
    return new CallbackMisuse(`\`${this.#option}\` ${what}`)
  }
}

function readCall(args: readonly unknown[]): QueryCall {
  const [query, values, last] = args
  const config = query as { text?: unknown; submit?: unknown; callback?: unknown } | string | null | undefined
  if (config === null || config === undefined || typeof config === 'string') {
    const callback = [values, last].find(isCallback)
    const text = config ?? undefined
    return { text, submittable: undefined, callback, args: args.filter(argument => argument !== callback) }
  }
  const text = typeof config.text === 'string' ? config.text : undefined
  if (typeof config.submit === 'function') {
    return { text, submittable: config as unknown as Submittable, callback: undefined, args }
  }
  const callback = [values, last, config.callback].find(isCallback)
  const rest = args.slice(1).filter(argument => argument !== callback)
  // a config may have getters, so it is not copied
  const bare = config.callback
    ? Object.create(config, { callback: { value: undefined, writable: true } })
    : config
  return { text, submittable: undefined, callback, args: [bare, ...rest] }
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function'
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === 'function'
}

/** Answers as pg does: by a promise, or by the callback, which may throw. */
function settled(answer: Promise<unknown>, callback: Callback | undefined): unknown {
  if (!callback) return answer
  answer.then(
    result => process.nextTick(callback, undefined, result),
    error => process.nextTick(callback, error),
  )
  return undefined
}
