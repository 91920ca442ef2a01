import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../support/random.ts'
import { until } from '../../support/until.ts'
import type { Run } from './environment.ts'
import type { Member } from './member.ts'

/** How much of everything; a seed decides when it happens. */
export interface Measure {
  /** Messages that are there before anyone reads. */
  readonly backlog: number
  /** Messages that come meanwhile: with each kill, or each second of a storm. */
  readonly more: number
  readonly kills: number
  readonly stormSeconds: number
}

/**
 * Something that happens to a group while it works; resolves when it is over and members are left to finish.
 */
export type Disruption = (run: Run, measure: Measure, random: Random) => Promise<void>

/** A process starts, joins and reads: on a machine that is busy. */
const PATIENCE_MS = 60_000

/** Without any progress for this long, a storm has brought the group to a stand. */
const STANDSTILL_MS = 20_000

/**
 * Three members have transactions under way that hold all of the backlog, when a fourth joins and reads what
 * has become its own: for a moment the same messages are in two hands. Kills at random moments follow, half
 * of them while transactions are held before their COMMIT.
 *
 * SIGKILL alone would prove little: a member that starts again continues after the stored positions.
 */
const members: Disruption = async (run, { backlog, more, kills }, random) => {
  await run.topic.produce(backlog)
  const first = [run.member(), run.member(), run.member()]
  await joinUnderWay(run, first)
  const victim = random.pick(first)
  for (let kill = 0; kill < kills; kill++) {
    await run.topic.produce(more)
    await victim.assigned()
    const strike = async (): Promise<void> => {
      await sleep(random.integer(0, 400))
      await victim.killAndRestart()
    }
    await (random.next() < 0.5 ? run.heldUp(strike) : strike())
  }
  await run.topic.produce(more)
}

/** The first members are held up in the middle of everything, while one more joins and reads. */
async function joinUnderWay(run: Run, first: readonly Member[]): Promise<void> {
  await run.heldUp(async () => {
    for (const member of first) member.join()
    await until(
      'three members to have their share in hand',
      // some of them wait for locks of others, which are held up
      async () => first.every(({ received }) => received > 0) && (await run.held()) > 0,
      PATIENCE_MS,
    )
    const newcomer = run.member()
    newcomer.join()
    await until('a fourth member to read', () => newcomer.received > 0, PATIENCE_MS)
  })
}

/** A member joins or leaves each second, one leaver of four by SIGKILL; one stays. */
const storm: Disruption = async (run, { backlog, more, stormSeconds }, random) => {
  await run.topic.produce(backlog)
  const steady = run.member()
  const others = Array.from({ length: 4 }, () => run.member())
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
    await Promise.all([run.topic.produce(more), sleep(1000)])
    const now = await run.stored()
    if (now > stored || now === run.topic.produced) since = performance.now()
    else if (performance.now() - since > STANDSTILL_MS) throw new Error('The storm has brought it to a stand')
    stored = now
  }
  await Promise.all(leaving)
}

/** The broker is killed and started again while three members are at work. */
const broker: Disruption = async (run, { backlog, more, kills }, random) => {
  await underWay(run, backlog)
  for (let kill = 0; kill < kills; kill++) {
    const producing = run.topic.produce(more)
    await sleep(random.integer(0, 400))
    await run.broker.kill()
    run.tally.kills++
    await sleep(random.integer(0, 2000))
    await run.broker.start()
    await producing
    await progress(run)
  }
}

/**
 * PostgreSQL and all its processes are killed and started again while three members are at work: half of the
 * times while transactions are held before their COMMIT, else at any moment.
 */
const server: Disruption = async (run, { backlog, more, kills }, random) => {
  await underWay(run, backlog)
  const restart = (): Promise<void> => run.server.killAndRestart(() => sleep(random.integer(0, 500)))
  for (let kill = 0; kill < kills; kill++) {
    const producing = run.topic.produce(more)
    if (random.next() < 0.5) {
      await run.heldUp(async () => {
        await until('a transaction under way', async () => (await run.held()) > 0, PATIENCE_MS)
        await restart()
      })
    } else {
      await sleep(random.integer(0, 400))
      await restart()
    }
    run.tally.kills++
    await producing
    await progress(run)
  }
}

async function underWay(run: Run, backlog: number): Promise<void> {
  await run.topic.produce(backlog)
  const first = [run.member(), run.member(), run.member()]
  for (const member of first) member.join()
  await until('the first rows', async () => (await run.stored()) > 0, PATIENCE_MS)
}

/** Something has been stored since, so that the next kill finds it at work again. */
async function progress(run: Run): Promise<void> {
  const before = await run.stored()
  await run.topic.produce(100)
  await until('further rows', async () => (await run.stored()) > before, PATIENCE_MS)
}

export const DISRUPTIONS = { members, storm, broker, server } as const

export type DisruptionName = keyof typeof DISRUPTIONS
