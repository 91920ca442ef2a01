import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { WRITABLE_OPTIONS } from '../../lib/writable/resolve-options.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

/** The names in the first column of the table whose header begins so. */
function namesOf(header: string): string[] {
  const [, table = ''] = readme.slice(readme.indexOf(header)).split(/\n\| --- .*\n/, 2)
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
  const [, fields = ''] = new RegExp(`^\\| \`'${event}'\` .*\\{ ([^}]+) \\}`, 'm').exec(readme) ?? []
  return fields.split(', ')
}

describe('README', () => {
  it('lists every error code, and no other', () => {
    const source = read('lib/errors.ts')
    const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code!)
    expect(codes.length).to.be.at.least(12)
    expect(namesOf('| `code` | what went wrong |').sort()).to.deep.equal(codes.sort())
  })

  it('lists every option of PgBatchWritable, and no other', () => {
    const options = readme.slice(readme.indexOf('\n## PgBatchWritable\n'))
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
    const text = readme.slice(
      readme.indexOf('`stats` counts at any moment'),
      readme.indexOf('`PgBatchError` has'),
    )
    for (const count of keysOf('lib/types.ts', 'Stats')) expect(text, count).to.contain(count)
  })

  it('names every event of the sink of Kafka', () => {
    const text = readme.slice(readme.indexOf('\n### Kafka\n'), readme.indexOf('\n### Past one machine\n'))
    const events = keysOf('lib/kafka/kafka-events.ts', 'KafkaToPgEvents')
    expect(events).to.include('regressed')
    for (const event of events) expect(text, event).to.contain(`'${event}'`)
  })
})
