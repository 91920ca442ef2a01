import { setTimeout as sleep } from 'node:timers/promises'
import { SETTLE_MS } from '../load/loading.ts'
import type { Run } from '../run/run.ts'
import { injectFailover } from './failover-faults.ts'
import { injectOnPooler } from './pooler-faults.ts'
import { injectOnServer } from './server-faults.ts'
import { injectState } from './state-faults.ts'
import { injectOnWire } from './wire-faults.ts'

/** A fault that has not come about by then never will: no message fits its aim. */
const FIRE_MS = 15_000
const FAILOVER_MS = 60_000
/** After how many bytes each connection is cut: enough for a batch of a hundred rows, too few for many. */
const CUT_BYTES = [25_000, 70_000] as const

/**
 * Injects one fault after the other, with short pauses, as long as the load runs. Resolves to how many were
 * seen to happen.
 */
export async function injectFaults(run: Run, settled: Promise<unknown>): Promise<number> {
  const { random, proxy } = run
  const { kind } = run.case
  if (kind.by === 'cuts') {
    proxy.cutEach(() => random.integer(...CUT_BYTES))
    await Promise.race([settled, sleep(SETTLE_MS)])
    return Math.min(kind.faultsPerCase, proxy.cuts)
  }
  let fired = 0
  for (let turn = 0; turn < kind.faultsPerCase && !run.isSettled(); turn++) {
    await sleep(random.integer(0, 40))
    // a failover that was begun has to be done before the load may end
    const late = sleep(kind.by === 'failover' ? FAILOVER_MS : FIRE_MS, false)
    if (await Promise.race([inject(run, turn), late, settled.then(() => false)])) fired++
    proxy.disarm()
  }
  return fired
}

async function inject(run: Run, turn: number): Promise<boolean> {
  const { case: fault, random } = run
  const { kind } = fault
  switch (kind.by) {
    case 'proxy':
      await injectOnWire(run.proxy, random.pick(kind.steps), fault.shape, random)
      return true
    case 'server':
      return injectOnServer(run, random.pick(kind.acts))
    case 'state':
      return injectState(run, kind.act)
    case 'pooler':
      await injectOnPooler(run, random.pick(kind.acts))
      return true
    case 'callback':
      await run.saboteur!.arm(kind.faultsPerCase === 1 ? random.pick(kind.acts) : kind.acts[turn]!)
      return true
    case 'failover':
      return injectFailover(run, kind.acts[turn]!)
    case 'cuts':
    case 'process':
      return false
  }
}
