import { setTimeout as sleep } from 'node:timers/promises'
import { mixSeed, seededRandom } from '../../support/random.ts'
import { Scene, type SceneOptions, type Stage } from './stage.ts'
import { type Measure, TROUBLES, type TroubleName } from './troubles.ts'

export interface TrialOptions extends SceneOptions {
  readonly trouble: TroubleName
  readonly seed: number
  readonly measure: Measure
}

/** What came of one topic, one group and one trouble. */
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
  /** Messages that were read more often than once, and rows that the fence has dropped; at the least, see Tally. */
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
  stage: Stage,
  { trouble, seed, measure, ...options }: TrialOptions,
): Promise<Trial> {
  const scene = await Scene.open(stage, options)
  const { tally, topic } = scene
  const exactlyOnce = options.delivery === 'exactly-once'
  try {
    await TROUBLES[trouble](scene, measure, seededRandom(mixSeed(seed, trouble)))
    const produced = exactlyOnce ? await topic.logged() : topic.produced
    const complaints = (await settled(scene, produced, exactlyOnce)) ? [] : ['rows lost, or late']
    await scene.leaveAll() // nothing is under way any more, and whoever could double rows has done so
    const { stored, messages, ids } = await scene.count()
    const distinct = exactlyOnce ? messages : ids
    if (stored > distinct) complaints.push(`rows doubled: ${stored - distinct}`)
    return {
      name: `${trouble}, ${options.delivery}`,
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
    await scene.close()
  }
}

/** Waits until everything is in the table, once or more often; false: not in time. */
async function settled(scene: Scene, produced: number, exactlyOnce: boolean): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS
  while (performance.now() < deadline) {
    if ((await scene.stored()) >= produced) {
      const { messages, ids } = await scene.count()
      if ((exactlyOnce ? messages : ids) >= produced) return true
    }
    await sleep(POLL_MS)
  }
  return false
}
