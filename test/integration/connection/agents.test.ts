import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import pg from 'pg'
import type { PgBatchWritableOptions } from '../../../lib/writable/options.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { countOf, METHODS, options, rowsOf, write } from '../../support/writing.ts'

interface Row {
  readonly id: number
}

interface Span {
  readonly text: string
  ends: number
  error?: Error | undefined
}

type Callback = (error?: Error, result?: unknown) => void

interface Query {
  text?: string
  name?: string
  callback?: Callback
}

/** Does to queries what `@opentelemetry/instrumentation-pg` 0.76 does, which copies what it finds of them. */
function traced(spans: Span[], comments: boolean): typeof pg.Client {
  return class extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: pg's overloads
    override query(...args: any[]): any {
      const [first] = args as [string | Query]
      const config = typeof first === 'string' ? { text: first } : { ...first, text: first.text }
      const span: Span = { text: config.text ?? '', ends: 0 }
      spans.push(span)
      const ended: Callback = error => {
        span.ends++
        span.error = error
      }
      if (comments && typeof first === 'object' && first.name === undefined) {
        args[0] = { ...first, text: `${first.text} /*traceparent='00'*/` }
      }
      const callback = (config as Query).callback
      if (typeof callback === 'function') {
        ;(args[0] as Query).callback = (error, result) => {
          ended(error)
          callback(error, result)
        }
      }
      const answer: unknown = Reflect.apply(pg.Client.prototype.query, this, args)
      if (answer instanceof Promise) answer.then(() => ended(), ended)
      return answer
    }
  } as unknown as typeof pg.Client
}

/** Does to queries what `@sentry/node` 11 does, which looks at what pg's `query` has returned. */
function watched(spans: Span[]): typeof pg.Client {
  return class extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: pg's overloads
    override query(...args: any[]): any {
      const [first] = args as [string | Query]
      const span: Span = { text: (typeof first === 'string' ? first : first.text) ?? '', ends: 0 }
      spans.push(span)
      const ended = (error?: Error) => {
        span.ends++
        span.error = error
      }
      const answer: unknown = Reflect.apply(pg.Client.prototype.query, this, args)
      if (answer instanceof Promise) answer.then(() => ended(), ended)
      else if (answer instanceof EventEmitter) answer.on('end', () => ended()).on('error', ended)
      else ended(new Error('ended before the server has answered'))
      return answer
    }
  } as unknown as typeof pg.Client
}

describe('under an agent that patches the queries of pg', () => {
  const db = useDatabase()

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  /** Writes with a pool whose clients are traced, and returns the spans. */
  async function spansOf(
    batches: readonly (readonly Row[])[],
    extra: Partial<PgBatchWritableOptions<Row>>,
    agent: (spans: Span[]) => typeof pg.Client,
  ): Promise<{ spans: Span[]; error: Error | undefined }> {
    const spans: Span[] = []
    const pool = new pg.Pool({
      connectionString: db.connectionString,
      max: 1,
      Client: agent(spans),
    } as pg.PoolConfig)
    const writing = write(batches, { pool, table: 't', ...extra } as PgBatchWritableOptions<Row>)
    const error = await writing.then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    await pool.end()
    return { spans, error }
  }

  const batches = rowsOf(20, batch => rowsOf(100, id => ({ id }), batch * 100))

  const agents = [
    { does: 'wraps callbacks', agent: (spans: Span[]) => traced(spans, false) },
    { does: 'wraps callbacks and appends comments to texts', agent: (spans: Span[]) => traced(spans, true) },
    { does: 'listens to what `query` returns', agent: watched },
  ]
  for (const { does, agent } of agents) {
    describe(`that ${does}`, () => {
      for (const way of METHODS) {
        it(`writes by ${way.title}, and the span of each statement has a text and ends once`, async () => {
          const { spans, error } = await spansOf(batches, options(way), agent)
          expect(error).to.equal(undefined)
          expect(await countOf(db.pool, 't')).to.equal(2000)
          const wrong = spans.filter(span => span.text === '' || span.ends !== 1 || span.error !== undefined)
          expect(wrong).to.deep.equal([])
        })
      }

      it('ends the span of a COPY with its error, and names it after the COPY', async () => {
        const twice = [[{ id: 1 }, { id: 1 }]]
        const { spans, error } = await spansOf(twice, { method: 'copy', copyFormat: 'text' }, agent)
        expect(error).to.include({ sqlState: '23505' })
        const copies = spans.filter(({ text }) => text.startsWith('COPY "public"."t"'))
        expect(copies).to.not.have.lengthOf(0)
        for (const { ends, error: reason } of copies) {
          expect(ends).to.equal(1)
          expect(reason).to.have.property('code', '23505')
        }
      })
    })
  }
})
