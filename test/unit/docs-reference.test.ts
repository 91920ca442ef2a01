import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { WRITABLE_OPTIONS } from '../../lib/writable/resolve/resolve-options.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const writing = read('docs/writing.md')

/** The names in the first column of the table whose header begins so. */
function namesOf(header: string): string[] {
  const [, table = ''] = writing.slice(writing.indexOf(header)).split(/\n\| --- .*\n/, 2)
  const rows = table.split(/\n(?!\|)/)[0]!.split('\n')
  return rows.flatMap(row => [...row.split('|')[1]!.matchAll(/[a-zA-Z_]+/g)].map(([name]) => name))
}

/** The keys of an interface in a source file. */
function keysOf(path: string, name: string): string[] {
  const source = read(path)
  const body = source.slice(source.indexOf(`interface ${name}`)).split('\n}')[0]!
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, key]) => key!)
}

/** The names in braces of an event's row. */
function fieldsOf(event: string): string[] {
  const [, fields = ''] = new RegExp(`^\\| \`'${event}'\` .*\\{ ([^}]+) \\}`, 'm').exec(writing) ?? []
  return fields.split(', ')
}

describe('docs/writing.md', () => {
  it('lists every error code, and no other', () => {
    const source = read('lib/errors.ts')
    const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code!)
    expect(codes.length).to.be.at.least(12)
    expect(namesOf('| `code` | what went wrong |').sort()).to.deep.equal(codes.sort())
  })

  it('lists every option of PgBatchWritable, and no other', () => {
    const options = writing.slice(writing.indexOf('\n## Options\n'))
    const rows = options.slice(0, options.indexOf('\nOptions are checked')).matchAll(/^\| `(\w+)/gm)
    expect([...rows].map(([, name]) => name!).sort()).to.deep.equal([...WRITABLE_OPTIONS].sort())
  })

  for (const [event, path, name] of [
    ['commit', 'lib/writable/events.ts', 'CommitEvent'],
    ['retry', 'lib/writable/events.ts', 'RetryEvent'],
    ['reject', 'lib/write/rejects/dead-letter.ts', 'RejectedRow'],
  ] as const) {
    it(`lists every field of the event '${event}', and no other`, () => {
      expect(fieldsOf(event).sort()).to.deep.equal(keysOf(path, name).sort())
    })
  }

  it('names every count of stats', () => {
    const text = writing.slice(
      writing.indexOf('`stats` counts at any moment'),
      writing.indexOf('\n## Errors\n'),
    )
    for (const count of keysOf('lib/types.ts', 'Stats')) expect(text, count).to.contain(count)
  })
})

describe('docs/kafka.md', () => {
  it('names every event of the sink of Kafka', () => {
    const page = read('docs/kafka.md')
    const events = keysOf('lib/kafka/kafka-events.ts', 'KafkaToPgEvents')
    expect(events).to.include('regressed')
    for (const event of events) expect(page, event).to.contain(`'${event}'`)
  })
})

describe('docs/batch-transform.md', () => {
  it('lists every option of BatchTransform, and no other', () => {
    const rows = read('docs/batch-transform.md').matchAll(/^\| `(\w+)/gm)
    const options = ['BatchSizes', 'BatchTransformSettings'].flatMap(name =>
      keysOf('lib/batch/batch-options.ts', name),
    )
    expect(options).to.include('maxWaitMs')
    expect([...rows].map(([, name]) => name!).sort()).to.deep.equal(options.sort())
  })
})
