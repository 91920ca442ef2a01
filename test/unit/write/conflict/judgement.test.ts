import { expect } from 'chai'
import type { Table } from '../../../../lib/types.ts'
import { judgementOf } from '../../../../lib/write/conflict/judgement.ts'

const DEFAULTS: readonly (readonly [sql: string, isOwn: boolean])[] = [
  ["nextval('sq'::regclass)", true],
  ["('INV-'::text || nextval('sq'::regclass))", true],
  ["(random() * '10'::double precision)", true],
  ['"Own"."next number"()', true],
  ['clock_timestamp()', true],
  ['now()', false],
  ['CURRENT_TIMESTAMP', false],
  ["'x'::text", false],
  ['(1 + 2)', false],
]

describe('what a row is judged by', () => {
  for (const [defaultSql, isOwn] of DEFAULTS) {
    it(`${isOwn ? 'leaves out' : 'reads'} the DEFAULT ${defaultSql}`, () => {
      const column = { name: 'w', identity: 'none', generated: false, notNull: false, defaultSql }
      const rowConstraints = {
        checks: [],
        foreignKeys: [],
        indexes: [],
        stored: [],
        isReferenced: false,
        mayLackPartition: false,
        hasPartition: null,
      }
      const table = { columns: [column], rowConstraints } as unknown as Table
      expect(judgementOf(table)?.ownDefaults).to.deep.equal(isOwn ? ['w'] : [])
      const hidden = { ...column, hasVolatileDefault: true } as const
      expect(judgementOf({ ...table, columns: [hidden as never] })?.ownDefaults).to.deep.equal(['w'])
    })
  }
})
