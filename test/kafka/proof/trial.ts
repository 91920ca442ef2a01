import { setTimeout as sleep } from 'node:timers/promises'
import { mixSeed, seededRandom } from '../../support/random.ts'
import { DISRUPTIONS, type DisruptionName, type Measure } from './disruptions.ts'
import { type Environment, Run, type RunOptions } from './environment.ts'

export interface TrialOptions extends RunOptions {
  readonly disruption: DisruptionName
  readonly seed: number
  readonly measure: Measure
}

/** What came of one topic, one group and one disruption. */
export interface Trial {
  readonly name: string
  readonly seed: number
  /** Messages of the log, exactly-once; ids, at-least-once. */
  readonly produced: number
  readonly stored: number
  readonly distinct: number
  readonly kills: number
  readonly assignments: number
  readonly generations: number
  /**
   * Messages that were read more often than once, and rows that the fence has dropped; at the least, see
   * Tally.
   */
  readonly redelivered: number
  readonly skipped: number
  readonly outages: number
  readonly gaveUp: readonly string[]
  readonly complaints: readonly string[]
}

/** All that is left has to be in the table by then. */
const SETTLE_MS = 120_000
const POLL_MS = 200

/** Runs a trial to its end and counts. */
export async function runTrial(
  environment: Environment,
  { disruption, seed, measure, ...options }: TrialOptions,
): Promise<Trial> {
  const run = await Run.open(environment, options)
  const { tally, topic } = run
  const exactlyOnce = options.delivery === 'exactly-once'
  try {
    await DISRUPTIONS[disruption](run, measure, seededRandom(mixSeed(seed, disruption)))
    const produced = exactlyOnce ? await topic.logged() : topic.produced
    const complaints = (await settled(run, produced, exactlyOnce)) ? [] : ['rows lost, or late']
    await run.leaveAll() // nothing is in flight any more: no row can be doubled after this
    const { stored, messages, ids } = await run.count()
    const distinct = exactlyOnce ? messages : ids
    if (stored > distinct) complaints.push(`rows doubled: ${stored - distinct}`)
    return {
      name: `${disruption}, ${options.delivery}`,
      seed,
      produced,
      stored,
      distinct,
      kills: tally.kills,
      assignments: tally.assignments,
      generations: tally.generations,
      redelivered: Math.max(0, tally.received - produced),
      skipped: tally.skipped,
      outages: tally.outages,
      gaveUp: tally.failures,
      complaints: [...complaints, ...tally.crashes],
    }
  } finally {
    await run.close()
  }
}

/** Waits until everything is in the table, once or more often; false: not in time. */
async function settled(run: Run, produced: number, exactlyOnce: boolean): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS
  while (performance.now() < deadline) {
    if ((await run.stored()) >= produced) {
      const { messages, ids } = await run.count()
      if ((exactlyOnce ? messages : ids) >= produced) return true
    }
    await sleep(POLL_MS)
  }
  return false
}
