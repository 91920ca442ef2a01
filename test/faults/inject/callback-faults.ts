import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { PgBatchError, type PgClientLike, type PgPoolLike } from '../../../lib/index.ts'
import type { CallbackAct } from '../cases/fault-kind.ts'

/** What a callback of the load has at hand. */
export interface CallbackContext {
  readonly client: PgClientLike
  /** The stream's own pool, which has a single client. */
  readonly pool: PgPoolLike
  /** Ends a backend as an operator would. */
  readonly terminate: (pid: number) => Promise<unknown>
}

interface Misbehaviour {
  readonly run: (context: CallbackContext) => Promise<unknown>
  /** What the stream fails with; undefined where it tries again. */
  readonly message: RegExp | undefined
  /** What the rows of the transaction are then. @default 'rolled-back' */
  readonly outcome?: 'committed'
}

const never = (): Promise<never> => new Promise(() => {})

/** pg's own method, past what the lent client does to transaction control. */
const past = (client: PgClientLike, text: string): Promise<unknown> =>
  Reflect.apply(pg.Client.prototype.query, client, [text])

const MISBEHAVIOURS: Readonly<Record<CallbackAct, Misbehaviour>> = {
  ROLLBACK: { run: ({ client }) => client.query('ROLLBACK'), message: /may not use ROLLBACK/ },
  COMMIT: { run: ({ client }) => client.query('COMMIT'), message: /may not use COMMIT/ },
  'hidden ROLLBACK': {
    run: ({ client }) => past(client, 'ROLLBACK'),
    message: /transaction was ended/,
  },
  'hidden COMMIT': {
    run: ({ client }) => past(client, 'COMMIT'),
    message: /transaction was ended/,
    outcome: 'committed',
  },
  'procedure that commits': {
    run: ({ client }) => client.query('DO $$ BEGIN COMMIT; END $$'),
    message: /invalid transaction termination/,
  },
  'failure ignored': {
    run: async ({ client }) => void (await client.query('SELECT 1/0').catch(() => {})),
    message: /failed and its error was ignored/,
  },
  'COPY left open': {
    async run({ client }) {
      const copy = copyFrom('COPY pg_temp.left_open FROM STDIN')
      await client.query('CREATE TEMP TABLE IF NOT EXISTS left_open (n int)')
      client.query(copy as never)
    },
    message: /left a COPY open/,
  },
  'waits for its own pool': {
    run: async ({ pool }) => (await pool.connect()).release(),
    message: /has not ended within/,
  },
  'never ends': { run: never, message: /has not ended within/ },
  'backend terminated': {
    async run({ client, terminate }) {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
      await terminate(rows[0]!.pid as number)
      return never()
    },
    message: undefined,
  },
}

/** Has the callbacks of a load misbehave, one way at a time, until the stream has failed for it. */
export class CallbackSaboteur {
  #armed: { readonly act: CallbackAct; readonly done: () => void } | undefined

  /**
   * Resolves when the stream has failed as it should, or, where it is to try again, when a callback has
   * misbehaved.
   */
  arm(act: CallbackAct): Promise<void> {
    return new Promise(resolve => {
      this.#armed = { act, done: resolve }
    })
  }

  disarm(): void {
    this.#armed?.done()
    this.#armed = undefined
  }

  async called(context: CallbackContext): Promise<void> {
    if (!this.#armed) return
    const { run, message } = MISBEHAVIOURS[this.#armed.act]
    if (!message) this.disarm()
    await run(context)
  }

  /** True for the failure that the misbehaviour has to lead to; it ends with that. */
  explains(error: Error): boolean {
    if (!this.#armed) return false
    const { message, outcome = 'rolled-back' } = MISBEHAVIOURS[this.#armed.act]
    const isExpected =
      error instanceof PgBatchError &&
      error.code === 'CALLBACK_FAILED' &&
      error.outcome === outcome &&
      message!.test(`${error.message} ${(error.cause as Error | undefined)?.message}`)
    if (isExpected) this.disarm()
    return isExpected
  }
}
