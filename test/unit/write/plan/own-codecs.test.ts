import { expect } from 'chai'
import { PgBatchError } from '../../../../lib/errors.ts'
import { ownCodecs } from '../../../../lib/write/plan/own-codecs.ts'

describe('ownCodecs', () => {
  it('says that a database without a catalogue has no types', () => {
    const named = [{ type: { schema: 'public', name: 'point' }, codec: { text: String } }]
    expect(() => ownCodecs(named, undefined)).to.throw(
      PgBatchError,
      '`codecs` names the type "public"."point", for which this database has no catalog',
    )
    expect(ownCodecs([], undefined).size).to.equal(0)
  })
})
