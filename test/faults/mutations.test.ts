import { spawn } from 'node:child_process'
import { expect } from 'chai'
import { type Patch, withPatchedCopy } from '../support/patched-copy.ts'

/**
 * The suite itself is put to the test: in a copy of the library one safeguard is taken out, and the suite has
 * to turn red over it.
 */
interface Mutation extends Patch {
  readonly title: string
  /** The kind of fault that shows it, and how many of them. */
  readonly only: string
  readonly faults: number
  readonly red: RegExp
}

const MUTATIONS: readonly Mutation[] = [
  {
    title: 'the question after a lost COMMIT: an open outcome counts as rolled back',
    file: 'lib/write/outcome/find-outcome.ts',
    from: "if (error.outcome !== 'unknown' || signals.stop.aborted) return { outcome: error.outcome }",
    to: "if (error.outcome === 'unknown') return { outcome: 'rolled-back' }",
    only: 'answer to COMMIT is lost',
    faults: 60,
    red: /rows doubled/,
  },
  {
    title: 'the question after a lost COMMIT: an open outcome counts as committed',
    file: 'lib/write/outcome/find-outcome.ts',
    from: "if (error.outcome !== 'unknown' || signals.stop.aborted) return { outcome: error.outcome }",
    to: "if (error.outcome === 'unknown') return { outcome: 'committed' }",
    only: 'COMMIT does not arrive',
    faults: 40,
    red: /rows lost/,
  },
  {
    title: 'the question after a connection was lost before the answer to rows with COMMIT behind them',
    file: 'lib/connection/transaction/commit-outcome.ts',
    from: 'if (!connectionSurvives(error)) return await commitOutcome(commit, Promise.reject(error))',
    to: '',
    only: 'one round trip is cut',
    faults: 32,
    red: /rows doubled/,
  },
  {
    title: 'the end of a whole load whose rows are no longer held: it is tried again',
    file: 'lib/write/whole-load/write-whole-load.ts',
    from: "const isAgain = outcome === 'not-sent' && error.retryable",
    to: "const isAgain = outcome !== 'committed' && error.retryable",
    only: 'whole load is cut',
    faults: 9,
    red: /rows lost/,
  },
  {
    title: 'the question after the lost COMMIT of a whole load',
    file: 'lib/write/run-attempt.ts',
    from: 'const { outcome, stillOpen = false } = await findOutcome(error, result, context)',
    to: "const { outcome, stillOpen } = { outcome: 'rolled-back' as Outcome, stillOpen: false }",
    only: 'whole load, COMMIT is lost',
    faults: 6,
    red: /rows doubled|after a load with the outcome rolled-back/,
  },
  {
    title: 'the fence: items at or below the stored offset are written again',
    file: 'lib/write/checkpoint/checkpoint.ts',
    from: 'if (highest !== undefined && order <= highest) return false',
    to: '',
    only: 'loader killed',
    faults: 8,
    red: /rows doubled/,
  },
  {
    title: 'the fence: a partition is read without its lock',
    file: 'lib/table/checkpoint-sql.ts',
    from: 'ORDER BY partition FOR UPDATE',
    to: 'ORDER BY partition',
    only: 'two writers',
    faults: 16,
    red: /rows doubled/,
  },
  {
    title: "a retry's rollback: a batch that was rolled back counts as committed",
    file: 'lib/write/run-attempt.ts',
    from: "|| outcome !== 'committed') return",
    to: "|| !['committed', 'rolled-back'].includes(outcome)) return",
    only: 'cut in the data',
    faults: 10,
    red: /rows lost/,
  },
  {
    title: "a retry's batches: those that the last attempt did not come to are forgotten",
    file: 'lib/write/transaction/run-transaction.ts',
    from: 'writer.batches.length > batches.length ? writer.batches : batches',
    to: 'writer.batches',
    only: 'retry cut at its first batch',
    faults: 6,
    red: /rows lost/,
  },
  {
    title: 'the second look at an id that a crash may have given to another',
    file: 'lib/connection/transaction/outcome.ts',
    from: "if (crashed !== 'true') return 'committed'",
    to: "return 'committed'",
    only: 'transaction id used again',
    faults: 12,
    red: /rows lost/,
  },
  {
    title: 'the watch for a second crash, of which the server keeps no trace',
    file: 'lib/connection/transaction/outcome.ts',
    from: "if (!watch.isFirstRecovery(askedAt - agoMs, answeredAt - agoMs)) return 'unknown'",
    to: '',
    only: 'two crashes in a row',
    faults: 8,
    red: /rows lost/,
  },
  {
    title: 'the answer about a commit that a crash has followed: its outcome stays unknown',
    file: 'lib/connection/transaction/server-watch.ts',
    from: 'return latest <= this.#upFrom && latest - this.#until <= GAP_MS',
    to: 'return false',
    only: 'committed and killed',
    faults: 8,
    red: /stayed unknown in each of 3 tries/,
  },
  {
    title: 'the failure at a checkpoint that has moved backwards',
    file: 'lib/write/checkpoint/committed-positions.ts',
    from: 'return stored === undefined || stored < order',
    to: 'return false',
    only: 'failover, asynchronous',
    faults: 3,
    red: /rows lost/,
  },
  {
    title: 'the wait for a synchronous standby before a COMMIT is confirmed',
    file: 'lib/write/outcome/resolve-outcome.ts',
    from: "if (outcome !== 'committed' || !open.ticket) return outcome",
    to: 'return outcome',
    only: 'wait cut short',
    faults: 2,
    red: /rows lost/,
  },
  {
    title: 'the proof that a callback has not ended the transaction by a ROLLBACK',
    file: 'lib/connection/transaction/transaction-proof.ts',
    from: 'if_assigned() IS NOT DISTINCT FROM',
    to: "if_assigned() IS DISTINCT FROM '0'::pg_catalog.xid8 OR '0' =",
    only: 'callbacks misbehave',
    faults: 9,
    red: /inTransaction counted/,
  },
  {
    title: "the refusal of a callback's ROLLBACK",
    file: 'lib/connection/transaction/callbacks/callback-client.ts',
    from: 'const control = text === undefined ? undefined : transactionControl(text)',
    to: 'const control = undefined as TransactionControl | undefined',
    only: 'callbacks misbehave',
    faults: 9,
    red: /failed: /,
  },
  {
    title: 'the proof before a callback gets the client of a transaction again',
    file: 'lib/connection/transaction/transaction.ts',
    from: 'if (this.#callbacks.isDoubtful) await this.#prove()',
    to: '',
    only: 'callbacks misbehave',
    faults: 18,
    red: /inTransaction counted/,
  },
  {
    title: 'the new connection after one that led to a standby (25006)',
    file: 'lib/connection/server-error.ts',
    from: ' || error.code === READ_ONLY_SQL_TRANSACTION',
    to: '',
    only: 'standby met',
    faults: 3,
    red: /committed nothing more/,
  },
  {
    title: 'the transactions that shrink after a failure',
    file: 'lib/write/transaction/transaction-size.ts',
    from: 'return this.#limit',
    to: 'return Number.POSITIVE_INFINITY',
    only: 'cut again',
    faults: 30,
    red: /failed: /,
  },
]

/**
 * A suite waits for its faults more than it computes, so several run at once, each with servers of its own.
 */
const AT_ONCE = 3

describe('the fault suite turns red without', function () {
  this.timeout(240_000)
  const runs: ReturnType<typeof runMutated>[] = []

  for (const [index, mutation] of MUTATIONS.entries()) {
    it(mutation.title, async () => {
      for (let next = index; next < Math.min(index + AT_ONCE, MUTATIONS.length); next++) {
        runs[next] ??= startMutated(MUTATIONS[next]!)
      }
      const { code, output } = await runs[index]!
      expect(output).to.match(mutation.red)
      expect(code).to.equal(1)
    })
  }
})

function startMutated(mutation: Mutation): ReturnType<typeof runMutated> {
  const run = runMutated(mutation)
  run.catch(() => {}) // reported by the test that waits for it
  return run
}

function runMutated({ only, faults, ...patch }: Mutation): Promise<{ code: number; output: string }> {
  return withPatchedCopy(['lib', 'test/faults', 'test/support'], patch, folder =>
    runSuite(folder, ['--only', only, '--faults', String(faults)]),
  )
}

async function runSuite(home: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const suite = spawn(process.execPath, ['--import', 'tsx', 'test/faults/main.ts', ...args], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [suite.stdout, suite.stderr]) {
    stream.on('data', text => {
      output += text
    })
  }
  const code = await new Promise<number>(resolve => suite.once('close', status => resolve(status ?? -1)))
  return { code, output }
}
