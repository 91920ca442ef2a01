import { type KafkaBroker, startKafka } from '../../test/support/kafka/broker.ts'
import { type Bench, BenchUnavailable } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved } from '../support/interleaved.ts'
import { showSummary, significant, summarize } from '../support/statistics.ts'
import { type KafkaSample, type KafkaStream, type KafkaTask, PARTITIONS } from './run.ts'

const RUN = new URL('./run.ts', import.meta.url)
const MESSAGES = 300_000
const QUICK_MESSAGES = 30_000
/** A steady stream takes a fifteenth of a backlog's messages: 20 s of them, at 1,000 a second. */
const STEADY_SHARE = 1 / 15
const STEADY_RATE = 1000

type Case = Pick<KafkaTask, 'processes' | 'delivery' | 'stream'>

const STREAMS: readonly KafkaStream[] = ['backlog', 'full speed', { messagesPerSecond: STEADY_RATE }]

const CASES: readonly Case[] = [1, 2, 3].flatMap(processes =>
  (['exactly-once', 'at-least-once'] as const).flatMap(delivery =>
    STREAMS.map(stream => ({ processes, delivery, stream })),
  ),
)
const QUICK_CASES = CASES.filter(({ processes, delivery }) => processes <= 2 && delivery === 'exactly-once')

export const bench: Bench = {
  name: 'kafka',
  question: 'How many messages of Kafka does a group of sinks store, and how soon are they visible?',
  repeats: 3,
  minutes: 15,
  async run({ rows, repeats, quick, connectionString, measure, log }) {
    const messages = rows ?? (quick ? QUICK_MESSAGES : MESSAGES)
    const steady = Math.ceil(messages * STEADY_SHARE)
    const cases = quick ? QUICK_CASES : CASES
    const drains = cases.filter(({ stream }) => stream === 'backlog')
    const floods = cases.filter(({ stream }) => stream === 'full speed')
    const streams = cases.filter(({ stream }) => typeof stream === 'object')
    const broker = await startUnlessMissing()
    try {
      const server = await connectionString()
      const samples = await interleaved(
        cases,
        repeats,
        one =>
          measure<typeof import('./run.ts')>(RUN, {
            ...one,
            bootstrapBrokers: [...broker.bootstrapBrokers],
            connectionString: server,
            messages: typeof one.stream === 'object' ? steady : messages,
          }),
        (round, one, sample) => log(`  ${round}/${repeats} ${label(one)}: ${describeSample(one, sample)}`),
      )
      const all = (one: Case, value: keyof KafkaSample): number[] =>
        samples.get(one)!.map(sample => sample[value])
      return {
        caveat:
          'Broker, PostgreSQL, producer and sinks share one machine: on few cores further processes take from each ' +
          'other what they would have for themselves elsewhere.',
        method: `Apache Kafka in one Java process of 384 MB, its log on the same disk; a topic of
${PARTITIONS} partitions, JSON messages of about 130 bytes with three columns, into a table without an index.
Sinks are processes of one group, each \`kafkaToPg\` with default options. They have their partitions, and
have stored ${(2000).toLocaleString('en')} messages untimed, before anything is measured.

A backlog drained: ${messages.toLocaleString('en')} messages are produced while a lock keeps the table from
being written; the clock runs from its release until all are committed, so what each process has read by then,
up to two fetches of 1 MiB, has a head start. A steady stream: ${STEADY_RATE.toLocaleString('en')} messages a
second for ${significant(steady / STEADY_RATE)} s; a message's time is that from the moment when it was due to
be produced, whether the producer was late or not, to \`afterCommit\` of its batch. At full speed:
${messages.toLocaleString('en')} messages, one request of 500 after the other, as fast as the broker
acknowledges them, while the sinks read; a message's time is that from the making of its request. A backlog's
messages wait mostly for each other, so no times are given for them. Rows are counted, and ids are checked to be distinct,
before a figure counts. The cases take turns; figures are the median of ${repeats} such rounds, the least and
the greatest in brackets.`,
        tables: [
          {
            title: 'A backlog drained: thousand messages a second',
            header: ['sinks', 'messages/s, thousand'],
            rows: drains.map(one => [label(one), showSummary(summarize(all(one, 'rate')), 1000)]),
          },
          {
            title: 'At full speed: messages visible in a second, and milliseconds from produced to visible',
            header: ['sinks', 'messages/s, thousand', 'p50', 'p99'],
            rows: floods.map(one => [
              label(one),
              showSummary(summarize(all(one, 'rate')), 1000),
              ...(['p50', 'p99'] as const).map(value => showSummary(summarize(all(one, value)))),
            ]),
          },
          {
            title: `${STEADY_RATE.toLocaleString('en')} messages a second: milliseconds from due to visible`,
            header: ['sinks', 'p50', 'p99'],
            rows: streams.map(one => [
              label(one),
              ...(['p50', 'p99'] as const).map(value => showSummary(summarize(all(one, value)))),
            ]),
          },
        ],
        chart: {
          kind: 'bars',
          title: 'From Kafka into PostgreSQL',
          subtitle: 'a backlog drained, thousand messages a second; more is better',
          better: 'more',
          bars: drains.map(one =>
            bar(label(one), one.delivery === 'exactly-once' ? 'ours' : 'ours, second', all(one, 'rate'), {
              unit: 1000,
              group: `${one.processes}`,
            }),
          ),
        },
      }
    } finally {
      await broker.stop()
    }
  },
}

function describeSample({ stream }: Case, { rate, p50, p99 }: KafkaSample): string {
  const perSecond = `${significant(rate / 1000)} thousand messages/s`
  const waits = `${significant(p50)} ms, ${significant(p99)} ms at the 99th`
  if (stream === 'backlog') return `a backlog, ${perSecond}`
  return stream === 'full speed' ? `full speed, ${perSecond}, ${waits}` : `steady, ${waits}`
}

function label({ processes, delivery }: Case): string {
  return `${processes} ${processes === 1 ? 'process' : 'processes'}, ${delivery}`
}

async function startUnlessMissing(): Promise<KafkaBroker> {
  try {
    return await startKafka()
  } catch (error) {
    const { message, cause } = error as Error
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error
    throw new BenchUnavailable(`Kafka's broker needs Java and Maven. ${message}`)
  }
}
