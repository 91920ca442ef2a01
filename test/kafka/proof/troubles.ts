import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../support/random.ts'
import { until } from '../../support/until.ts'
import type { Member } from './member.ts'
import type { Scene } from './stage.ts'

/** How much of everything; a seed decides when it happens. */
export interface Measure {
  /** Messages that are there before anyone reads. */
  readonly backlog: number
  /** Messages that come meanwhile: with each kill, or each second of a storm. */
  readonly more: number
  readonly kills: number
  readonly stormSeconds: number
}

/** Something that happens to a group while it works; resolves when it is over and members are left to finish. */
export type Trouble = (scene: Scene, measure: Measure, random: Random) => Promise<void>

/** A process starts, joins and reads: on a machine that is busy. */
const PATIENCE_MS = 60_000

/** Without any progress for this long, a storm has brought the group to a stand. */
const STANDSTILL_MS = 20_000

/**
 * Three members have transactions under way that hold all of the backlog, when a fourth joins and reads what has become
 * its own: for a moment the same messages are in two hands. Kills at random moments follow, half of them while
 * transactions are held before their COMMIT.
 *
 * SIGKILL alone would prove little: whoever starts again begins at what is stored.
 */
const members: Trouble = async (scene, { backlog, more, kills }, random) => {
  await scene.topic.produce(backlog)
  const first = [scene.member(), scene.member(), scene.member()]
  await joinUnderWay(scene, first)
  const victim = random.pick(first)
  for (let kill = 0; kill < kills; kill++) {
    await scene.topic.produce(more)
    await victim.assigned()
    const strike = async (): Promise<void> => {
      await sleep(random.integer(0, 400))
      await victim.killAndRestart()
    }
    await (random.next() < 0.5 ? scene.heldUp(strike) : strike())
  }
  await scene.topic.produce(more)
}

/** The first members are held up in the middle of everything, while one more joins and reads. */
async function joinUnderWay(scene: Scene, first: readonly Member[]): Promise<void> {
  await scene.heldUp(async () => {
    for (const member of first) member.join()
    await until(
      'three members to have their share in hand',
      // some of them wait for locks of others, which are held up
      async () => first.every(({ received }) => received > 0) && (await scene.held()) > 0,
      PATIENCE_MS,
    )
    const newcomer = scene.member()
    newcomer.join()
    await until('a fourth member to read', () => newcomer.received > 0, PATIENCE_MS)
  })
}

/** A member joins or leaves each second, one leaver of four by SIGKILL; one stays. */
const storm: Trouble = async (scene, { backlog, more, stormSeconds }, random) => {
  await scene.topic.produce(backlog)
  const steady = scene.member()
  const others = Array.from({ length: 4 }, () => scene.member())
  steady.join()
  await Promise.all([steady.assigned(), ...others.map(member => member.start())])
  const busy = new Set<Member>()
  const leaving: Promise<void>[] = []
  const leave = async (member: Member): Promise<void> => {
    busy.add(member)
    if (random.next() < 0.25) {
      await member.kill()
      await member.start()
    } else await member.leave()
    busy.delete(member)
  }
  let stored = 0
  let since = performance.now()
  for (let second = 0; second < stormSeconds; second++) {
    const free = others.filter(member => !busy.has(member))
    const member = free.length > 0 ? random.pick(free) : undefined
    if (member?.isIn) leaving.push(leave(member))
    else member?.join()
    await Promise.all([scene.topic.produce(more), sleep(1000)])
    const now = await scene.stored()
    if (now > stored || now === scene.topic.produced) since = performance.now()
    else if (performance.now() - since > STANDSTILL_MS) throw new Error('The storm has brought it to a stand')
    stored = now
  }
  await Promise.all(leaving)
}

/** The broker is killed and started again while three members are at work. */
const broker: Trouble = async (scene, { backlog, more, kills }, random) => {
  await underWay(scene, backlog)
  for (let kill = 0; kill < kills; kill++) {
    const producing = scene.topic.produce(more)
    await sleep(random.integer(0, 400))
    await scene.broker.kill()
    scene.tally.kills++
    await sleep(random.integer(0, 2000))
    await scene.broker.start()
    await producing
    await progress(scene)
  }
}

/**
 * PostgreSQL and all its processes are killed and started again while three members are at work: half of the times while
 * transactions are held before their COMMIT, else at any moment.
 */
const server: Trouble = async (scene, { backlog, more, kills }, random) => {
  await underWay(scene, backlog)
  const restart = (): Promise<void> => scene.server.killAndRestart(() => sleep(random.integer(0, 500)))
  for (let kill = 0; kill < kills; kill++) {
    const producing = scene.topic.produce(more)
    if (random.next() < 0.5) {
      await scene.heldUp(async () => {
        await until('a transaction under way', async () => (await scene.held()) > 0, PATIENCE_MS)
        await restart()
      })
    } else {
      await sleep(random.integer(0, 400))
      await restart()
    }
    scene.tally.kills++
    await producing
    await progress(scene)
  }
}

async function underWay(scene: Scene, backlog: number): Promise<void> {
  await scene.topic.produce(backlog)
  const first = [scene.member(), scene.member(), scene.member()]
  for (const member of first) member.join()
  await until('the first rows', async () => (await scene.stored()) > 0, PATIENCE_MS)
}

/** Something has been stored since, so that the next kill finds it at work again. */
async function progress(scene: Scene): Promise<void> {
  const before = await scene.stored()
  await scene.topic.produce(100)
  await until('further rows', async () => (await scene.stored()) > before, PATIENCE_MS)
}

export const TROUBLES = { members, storm, broker, server } as const

export type TroubleName = keyof typeof TROUBLES
