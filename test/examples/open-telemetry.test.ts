import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { expect } from 'chai'
import { BatchTransform, type CommitMessage, PgBatchWritable, type RejectMessage } from '../../lib/index.ts'
import { useDatabase } from '../support/servers/database.ts'

/**
 * How a program counts what all its streams write with OpenTelemetry: the API's meter, fed by the diagnostics
 * channels. The SDK and its exporter are the program's own choice; here it is one that a test can look into.
 */
function countWithOpenTelemetry(): () => void {
  const meter = metrics.getMeter('pg-batch-streams')
  const rows = meter.createCounter('pg_batch.rows', { unit: '{row}' })
  const duration = meter.createHistogram('pg_batch.commit.duration', { unit: 'ms' })
  const rejects = meter.createCounter('pg_batch.rejects', { unit: '{row}' })

  const onCommit = (message: unknown): void => {
    const commit = message as CommitMessage
    const attributes = { 'db.collection.name': commit.table.name, method: commit.method }
    rows.add(commit.rows, attributes)
    duration.record(commit.durationMs, attributes)
  }
  const onReject = (message: unknown): void => {
    const { table, error } = message as RejectMessage
    rejects.add(1, {
      'db.collection.name': table.name,
      'db.response.status_code': error.sqlState ?? error.code,
    })
  }
  subscribe('pg-batch-streams:commit', onCommit)
  subscribe('pg-batch-streams:reject', onReject)
  return () => {
    unsubscribe('pg-batch-streams:commit', onCommit)
    unsubscribe('pg-batch-streams:reject', onReject)
  }
}

describe('OpenTelemetry', () => {
  const database = useDatabase()

  it('counts rows, commits and rejects by the diagnostics channels', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter })
    const provider = new MeterProvider({ readers: [reader] })
    metrics.setGlobalMeterProvider(provider)
    const stop = countWithOpenTelemetry()
    try {
      await database.pool.query('CREATE TABLE readings (id int PRIMARY KEY)')
      const sink = new PgBatchWritable({ pool: database.pool, table: 'readings', rejectLimit: 10 })
      const items = [1, 2, 3, 3, 4].map(id => ({ id }))
      await pipeline(Readable.from(items), new BatchTransform(), sink)
      await provider.forceFlush()

      const found = exporter.getMetrics()[0]!.scopeMetrics[0]!.metrics
      const points = (name: string) => found.find(({ descriptor }) => descriptor.name === name)!.dataPoints
      expect(points('pg_batch.rows')[0]).to.deep.include({
        value: 4,
        attributes: { 'db.collection.name': 'readings', method: 'copy' },
      })
      expect((points('pg_batch.commit.duration')[0]!.value as { count: number }).count).to.equal(1)
      expect(points('pg_batch.rejects')[0]).to.deep.include({
        value: 1,
        attributes: { 'db.collection.name': 'readings', 'db.response.status_code': '23505' },
      })
    } finally {
      stop()
      await provider.shutdown()
      metrics.disable()
    }
  })
})
