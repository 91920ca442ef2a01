import { parseArgs } from 'node:util'
import { DISRUPTIONS, type DisruptionName } from './disruptions.ts'
import { Environment } from './environment.ts'
import { showTrials } from './report.ts'
import { runTrial, type Trial, type TrialOptions } from './trial.ts'
import { withoutFence } from './without-fence.ts'

/**
 * The proof: groups of processes that sink a topic, and what may happen to them; then all is counted.
 *
 *     npm run test:kafka:proof -- [--seeds 5] [--first-seed 1] [--only members] [--seconds 60] [--kills 5]
 *       [--messages 24000] [--pgbouncer] [--without-fence]
 *
 * `--seeds` is for members and for what at-least-once costs them; of the rest there is one run.
 * `--without-fence` takes the fence out of a copy of the library: exactly-once has to fail then.
 * `--pgbouncer` has the sinks reach PostgreSQL by way of PgBouncer in transaction mode.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    'first-seed': { type: 'string', default: '1' },
    only: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    kills: { type: 'string', default: '5' },
    messages: { type: 'string', default: '24000' },
    pgbouncer: { type: 'boolean', default: false },
    'without-fence': { type: 'boolean', default: false },
  },
})

const firstSeed = Number(values['first-seed'])
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => firstSeed + index)
const backlog = Number(values.messages)
const measure = {
  backlog,
  more: Math.ceil(backlog / 12),
  kills: Number(values.kills),
  stormSeconds: Number(values.seconds),
}

const DELIVERIES = ['exactly-once', 'at-least-once'] as const
const planned: TrialOptions[] = (Object.keys(DISRUPTIONS) as DisruptionName[])
  .filter(disruption => values.only === undefined || disruption === values.only)
  .flatMap(disruption =>
    DELIVERIES.flatMap(delivery =>
      (disruption === 'members' ? seeds : seeds.slice(0, 1)).map(seed => ({
        disruption,
        delivery,
        seed,
        measure,
      })),
    ),
  )
if (planned.length === 0) throw new Error(`Expected --only to be one of ${Object.keys(DISRUPTIONS)}`)

const trials: Trial[] = []
const environment = await Environment.open({ pooled: values.pgbouncer })
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => environment.close().finally(() => process.exit(130)))
}
const runAll = async (root?: string): Promise<void> => {
  for (const options of planned) {
    const trial = await runTrial(environment, { ...options, root })
    trials.push(trial)
    const { name, seed, complaints, gaveUp } = trial
    console.error(`${name}, seed ${seed}: ${complaints.length > 0 ? complaints.join('; ') : 'exact'}`)
    for (const reason of new Set(gaveUp)) console.error(`  a sink gave up, and was opened again: ${reason}`)
  }
}
try {
  await (values['without-fence'] ? withoutFence(runAll) : runAll())
} finally {
  await environment.close()
}
console.log(showTrials(trials))
const failed = trials.filter(({ complaints }) => complaints.length > 0).length
console.log(`${trials.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
