import { fileURLToPath } from 'node:url'
import { kafkaToPg } from '../../lib/kafka/index.ts'

/** The argument of a sink's process, as JSON. */
export interface SinkPlan {
  readonly bootstrapBrokers: string[]
  readonly topic: string
  readonly connectionString: string
  readonly table: string
  readonly delivery: 'exactly-once' | 'at-least-once'
  /** Messages with a lower id are for warming up, and not timed. */
  readonly firstTimedId: number
}

/** Messages from the sink's process; the last one has all times. */
export type SinkReport =
  | { readonly event: 'assigned'; readonly partitions: number }
  | { readonly event: 'committed'; readonly rows: number }
  | { readonly event: 'closed'; readonly waitsMs: readonly number[] }

export interface BenchMessage {
  id: number
  /** When it was due to be produced, by the machine's clock: milliseconds since 1970, with their fraction. */
  due: number
  note: string
}

export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function main(plan: SinkPlan): void {
  const waitsMs: number[] = []
  const tell = (report: SinkReport): void => void process.send!(report)
  const sink = kafkaToPg<BenchMessage>({
    consumer: {
      clientId: 'bench',
      groupId: plan.topic,
      bootstrapBrokers: plan.bootstrapBrokers,
      heartbeatInterval: 500,
    },
    topics: [plan.topic],
    connectionString: plan.connectionString,
    table: plan.table,
    delivery: plan.delivery,
    afterCommit(batch) {
      const now = nowMs()
      for (const { value } of batch) if (value.id >= plan.firstTimedId) waitsMs.push(now - value.due)
      tell({ event: 'committed', rows: batch.length })
    },
  })
  sink.on('assigned', starts => tell({ event: 'assigned', partitions: starts.length }))
  process.once('message', async () => {
    await sink.close()
    process.send!({ event: 'closed', waitsMs } satisfies SinkReport, () => process.disconnect())
  })
  process.once('disconnect', () => process.exit())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(JSON.parse(process.argv[2]!) as SinkPlan)
