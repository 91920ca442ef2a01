import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { NOT_PASSED } from '../../lib/row-writer/options.ts'
import { createCheckpointTable } from '../../lib/table/checkpoint-sql.ts'
import { createDeadLetterTable } from '../../lib/table/dead-letter-sql.ts'
import { WRITABLE_OPTIONS } from '../../lib/writable/resolve/resolve-options.ts'
import { TRANSIENT_SQLSTATES } from '../../lib/write/faults/transient.ts'
import { HOUSE } from '../support/house.ts'
import { readPage } from '../support/pages/pages.ts'
import {
  defaultIn,
  type Entry,
  entriesOf,
  errorCodes,
  type Key,
  keysOf,
  namesOf,
  readSources,
  sectionOf,
  sourceOf,
} from '../support/pages/reference.ts'

/** They are declared in the branches of a union. */
const DESTINATION: readonly Key[] = [
  { name: 'pool', doc: '' },
  { name: 'connectionString', doc: '' },
]

const names = (keys: readonly { name: string }[]): string[] => keys.map(({ name }) => name)

/** The names of a table's columns, by the statement that makes it. */
function columnsOf(createTable: string): string[] {
  const [, body = ''] = /^CREATE TABLE [^(]*\(([\s\S]*?)\)(?:;|$)/.exec(createTable) ?? []
  return body.split(',').flatMap(part => /^\s*"?([a-z_]+)"? [a-z]/.exec(part)?.[1] ?? [])
}

/**
 * Each entry says what the default is, and the same as the docstring; one of a number says what raising it
 * costs.
 */
function expectComplete(entries: readonly Entry[], keys: readonly Key[]): void {
  for (const { name, text } of entries) {
    const { doc } = keys.find(key => key.name === name)!
    expect(text, name).to.match(/\bDefault: |\bRequired\./)
    const value = defaultIn(doc)
    if (value !== undefined) expect(text, name).to.include(`Default: \`${value}\``)
    if (/an integer|milliseconds/i.test(doc)) expect(text, name).to.match(/Raising\s.*?\bcosts\b/s)
  }
}

describe('docs/writing.md', () => {
  const { markdown } = readPage('docs/writing.md')
  const keys = [...keysOf('PgBatchWritableSettings'), ...DESTINATION]
  const options = sectionOf(markdown, '## Options')
  const entries = entriesOf(markdown, '## Options')
  const entry = (name: string) => entries.find(option => option.name === name)!.text

  it('lists every option, and no other', () => {
    expect(namesOf(options, 'option').sort()).to.deep.equal([...WRITABLE_OPTIONS].sort())
    expect(names(entries).sort()).to.deep.equal([...WRITABLE_OPTIONS].sort())
  })

  it('gives every option its default, and every number what raising it costs', () => {
    expect(keys.filter(({ doc }) => defaultIn(doc)).length).to.be.at.least(8)
    expectComplete(entries, keys)
  })

  for (const [option, type] of [
    ['retry', 'RetryOptions'],
    ['onConflict', 'OnConflict'],
    ['checkpoint', 'CheckpointOptions'],
    ['evolve', 'EvolveOptions'],
  ] as const) {
    it(`lists every key of the option ${option}, and no other`, () => {
      const listed = namesOf(entry(option), 'key')
      expect(listed.sort()).to.deep.equal(names(keysOf(type)).sort())
    })
  }

  for (const [option, type] of [
    ['retry', 'RetryOptions'],
    ['evolve', 'EvolveOptions'],
  ] as const) {
    it(`gives the keys of the option ${option} their defaults`, () => {
      for (const { name, doc } of keysOf(type)) {
        const value = defaultIn(doc)
        if (value) expect(entry(option)).to.match(new RegExp(`\\| \`${name}\` \\|.*\\| \`${value}\` \\|`))
      }
    })
  }

  it('names only types that the package exports', () => {
    const [, ...rows] = sectionOf(markdown, '## Types').match(/^\| [a-z ]+ \| .*$/gm) ?? []
    const types = rows.flatMap(row => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
    const exported = readFileSync('lib/index.ts', 'utf8').match(/\b[A-Z]\w+\b/g)
    expect(types).to.include('RejectedRow')
    expect(exported).to.include.members(types)
  })

  it('lists what afterCommit receives', () => {
    const settled = keysOf('SettledItems')
    const arrays = [...entry('afterCommit').matchAll(/^\| `settled\.(\w+)` /gm)].map(([, name]) => name!)
    expect(arrays.sort()).to.deep.equal(names(settled).sort())
  })

  for (const [event, type] of [
    ['commit', 'CommitEvent'],
    ['retry', 'RetryEvent'],
    ['reject', 'RejectedRow'],
    ['evolve', 'EvolveEvent'],
  ] as const) {
    it(`lists every field of the event '${event}', and no other`, () => {
      const { text } = entriesOf(markdown, '## Events').find(({ name }) => name === event)!
      expect(namesOf(text, 'field').sort()).to.deep.equal(names(keysOf(type)).sort())
    })
  }

  it('lists every event of its own, and no other', () => {
    const events = keysOf('PgBatchWritableEvents')
    const own = events.filter(({ doc }) => doc !== '')
    expect(own.length).to.be.at.least(3)
    expect(namesOf(sectionOf(markdown, '## Events'), 'event').sort()).to.deep.equal(names(own).sort())
  })

  it('lists every count of stats, and no other', () => {
    const counts = keysOf('Stats')
    expect(namesOf(sectionOf(markdown, '## Stats'), 'count').sort()).to.deep.equal(names(counts).sort())
  })

  it('lists every field of a PgBatchError, and no other', () => {
    const details = keysOf('PgBatchErrorDetails')
    const fields = [...names(details), 'code', 'reason']
    const listed = namesOf(sectionOf(markdown, '## Errors'), 'field')
    expect(listed.sort()).to.deep.equal(fields.sort())
  })

  it('lists every outcome', () => {
    const [, outcomes = ''] = /type Outcome = (.*)/.exec(sourceOf('Outcome')) ?? []
    const rows = sectionOf(markdown, '## Errors').matchAll(/^\| `('[a-z-]+')` \|/gm)
    expect([...rows].map(([, outcome]) => outcome)).to.have.members(outcomes.split(' | '))
  })

  it('lists every error code, and no other', () => {
    const listed = namesOf(sectionOf(markdown, '## Errors'), '`code`')
    expect(listed.sort()).to.deep.equal(errorCodes().sort())
  })
})

describe('docs/row-writer.md', () => {
  const { markdown } = readPage('docs/row-writer.md')

  it('lists every option of its own, and no other, with its default', () => {
    const keys = keysOf('RowWriterSettings')
    const options = sectionOf(markdown, '## Options')
    expect(namesOf(options, 'option').sort()).to.deep.equal(names(keys).sort())
    for (const { name, doc } of keys) {
      const row = options.split('\n').find(line => line.startsWith(`| \`${name}\` `))!
      expect(row, name).to.match(new RegExp(`\\| (none|\`${defaultIn(doc)?.replaceAll('_', '')}\`) \\|$`))
    }
  })

  it('lists every option that it shares with PgBatchWritable', () => {
    const own = names(keysOf('RowWriterSettings'))
    const shared = WRITABLE_OPTIONS.filter(name => ![...own, ...NOT_PASSED].includes(name))
    const [, list = ''] = /These options are those of `PgBatchWritable`.*?: ([^.]*)\./s.exec(markdown) ?? []
    expect([...list.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).to.deep.equal(shared.sort())
  })

  it('lists every count of stats, and no other', () => {
    const counts = names(keysOf('RowWriterStats'))
    expect(namesOf(sectionOf(markdown, '## Stats'), 'count').sort()).to.deep.equal(counts.sort())
  })
})

describe('docs/batch-transform.md', () => {
  const { markdown } = readPage('docs/batch-transform.md')
  const keys = [...keysOf('BatchSizes'), ...keysOf('BatchTransformSettings')]
  const entries = entriesOf(markdown, '## Options')

  it('lists every option, and no other', () => {
    expect(names(keys)).to.include('maxWaitMs')
    expect(namesOf(sectionOf(markdown, '## Options'), 'option').sort()).to.deep.equal(names(keys).sort())
    expect(names(entries).sort()).to.deep.equal(names(keys).sort())
  })

  it('gives every option its default, and every number what raising it costs', () => {
    expectComplete(entries, keys)
  })

  it("lists every field of the event 'batch', and every trigger", () => {
    const text = sectionOf(markdown, "## The event `'batch'`")
    expect(namesOf(text, 'field').sort()).to.deep.equal(names(keysOf('BatchEvent')).sort())
    for (const trigger of ['count', 'bytes', 'wait', 'flush', 'end']) expect(text).to.include(`'${trigger}'`)
  })
})

describe('docs/delivery.md', () => {
  const { markdown } = readPage('docs/delivery.md')

  it('lists every key of a position', () => {
    const keys = keysOf('Position')
    const text = sectionOf(markdown, '### Checkpoints and positions')
    expect(namesOf(text, 'key').sort()).to.deep.equal(names(keys).sort())
  })

  it('lists every column of the table of dead letters, and no other', () => {
    const columns = columnsOf(createDeadLetterTable({ name: 't' }))
    expect(columns).to.include.members(['id', 'row', 'letter_id'])
    expect(namesOf(sectionOf(markdown, '### A table'), 'column').sort()).to.deep.equal(columns.sort())
  })

  it('lists every column of the table of checkpoints, and no other', () => {
    const columns = columnsOf(createCheckpointTable({ name: 't' }))
    expect(columns).to.include.members(['position', 'item_index'])
    const text = sectionOf(markdown, '### Checkpoints and positions')
    expect(namesOf(text, 'column').sort()).to.deep.equal(columns.sort())
  })

  it('lists every transient SQLSTATE, and no other', () => {
    const text = sectionOf(markdown, '## Retries').replaceAll(
      /(\w{4})(\d) to \1(\d)/g,
      (_, stem, first, last) =>
        Array.from({ length: last - first + 1 }, (_, index) => `${stem}${Number(first) + index}`).join(),
    )
    const listed = [...text.matchAll(/\b\d[\dA-Z]{4}\b/g)].map(([code]) => code)
    expect(text).to.include('class 08')
    const others = Object.keys(TRANSIENT_SQLSTATES).filter(code => !code.startsWith('08'))
    expect(listed.sort()).to.deep.equal(others.sort())
  })
})

describe('docs/kafka.md', () => {
  it('names every event of the sink of Kafka', () => {
    const { markdown } = readPage('docs/kafka.md')
    const events = names(keysOf('KafkaToPgEvents'))
    expect(events).to.include('regressed')
    for (const event of events) expect(markdown, event).to.contain(`'${event}'`)
  })

  it('lists every option that PgBatchWritable does not have, or has with another meaning', () => {
    const listed = namesOf(sectionOf(readPage('docs/kafka.md').markdown, '## Options'), 'option')
    expect(listed.sort()).to.deep.equal(names(keysOf('KafkaSettings')).sort())
  })

  it('lists every count of stats that PgBatchWritable does not have', () => {
    const listed = namesOf(sectionOf(readPage('docs/kafka.md').markdown, '## Events and stats'), 'count')
    expect(listed.sort()).to.deep.equal(names(keysOf('KafkaToPgStats')).sort())
  })
})

describe('docs/command.md', () => {
  it('lists every option of `pg-batch load`, and no other', () => {
    const sources = readSources().filter(source => source.includes("from 'commander'"))
    const declared = sources.flatMap(source =>
      [...source.matchAll(/ption\(\s*['"](?:-\w, )?(--[\w-]+)/g)].map(([, name]) => name!),
    )
    expect(declared).to.include.members(['--table', '--delimiter', '--infer', '--resume'])
    const rows = sectionOf(readPage('docs/command.md').markdown, '## All options').match(/^\| `.*?\|/gm)!
    const listed = rows.flatMap(row => row.match(/--[\w-]+/g)!)
    // --port belongs to `pg-batch server`, and --help to all commands
    expect([...new Set(listed)].sort()).to.deep.equal(
      [...new Set(declared)].filter(name => !['--port', '--help'].includes(name)).sort(),
    )
  })
})

describe('CONTRIBUTING.md', () => {
  it('names every room of the house', () => {
    const text = sectionOf(readPage('CONTRIBUTING.md').markdown, '## The house')
    const rooms = Object.keys(HOUSE).filter(room => room !== 'index')
    for (const room of rooms) expect(text, room).to.match(new RegExp(`\`${room}(\\.ts)?\``))
  })

  it('names only scripts of package.json, and every suite', () => {
    const { markdown } = readPage('CONTRIBUTING.md')
    const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts)
    const named = [...markdown.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!)
    expect(scripts).to.include.members(named)
    const suites = scripts.filter(name => /^test:(?!unit|integration)/.test(name))
    expect(named).to.include.members(suites)
  })
})
