import { expect } from 'chai'
import { commitOutcome } from '../../../../lib/connection/transaction/commit-outcome.ts'

type Tags = readonly (string | undefined)[]

/** The outcome of a COMMIT behind a statement that proves which transaction it ends. */
async function outcomeOf(tags: Tags): Promise<string> {
  const ended = new Error('ended')
  const commit = {
    lease: { within: (_ms: number, answer: Promise<Tags>) => answer, broken: undefined },
    callbacks: { isDoubtful: true, endedError: () => ended, swallowedError: () => ended },
    timeoutMs: 1000,
    isProof: true,
    beginsNext: false,
  } as unknown as Parameters<typeof commitOutcome>[0]
  return (await commitOutcome(commit, Promise.resolve(tags))).state
}

describe('the outcome of a COMMIT that follows a callback', () => {
  const cases: readonly [title: string, tags: Tags, outcome: string][] = [
    ['both answers', ['SELECT', 'COMMIT'], 'committed'],
    ["answers of a driver that doesn't give command tags", [undefined, undefined], 'committed'],
    ['the answer to another ROLLBACK', ['ROLLBACK', 'SELECT'], 'lost'],
    ['one answer', ['COMMIT'], 'lost'],
    ['no answer', [], 'lost'],
  ]
  for (const [title, tags, outcome] of cases) {
    it(`is ${outcome} by ${title}`, async () => {
      expect(await outcomeOf(tags)).to.equal(outcome)
    })
  }
})
