import { expect } from 'chai'
import { useMalformed } from '../rejects/malformed.ts'

describe('pg-batch load --rejects, of malformed JSON', () => {
  const { load, rows } = useMalformed()

  it('continues after a line that is not NDJSON', async () => {
    const lines = [
      '{"id":1,"name":"a"}',
      '{"id":2,',
      '',
      '[3]',
      '{"id":NaN}',
      '{"id":4,"name":"\xe9"}',
      '{"id":5}',
    ]
    const { ended, rejected } = await load('bad.ndjson', Buffer.from(lines.join('\n'), 'latin1'))
    expect(ended.status, ended.stderr).to.equal(0)
    expect(rejected).to.deep.equal([
      [2, 'line 2 is not valid JSON', { pg_batch_raw: '{"id":2,' }],
      [3, 'line 4 is an array, expected an object', { pg_batch_raw: '[3]' }],
      [4, 'line 5 is not valid JSON', { pg_batch_raw: '{"id":NaN}' }],
      [
        5,
        'line 6 is not valid UTF-8',
        { pg_batch_raw: `\\x${Buffer.from(lines[5]!, 'latin1').toString('hex')}` },
      ],
    ])
    expect(await rows()).to.deep.equal([
      { id: 1, name: 'a' },
      { id: 5, name: null },
    ])
  })

  it('continues after an element of a JSON array that is not valid', async () => {
    const json = Buffer.from('[{"id":1},\n{"id":NaN},{"id":2,"name":"\xe9"}, 3, {"id":4}]', 'latin1')
    const { ended, rejected } = await load('bad.json', json)
    expect(ended.status, ended.stderr).to.equal(0)
    expect(rejected).to.deep.equal([
      [2, 'record 2 (line 2) is not valid JSON', { pg_batch_raw: '{"id":NaN}' }],
      [3, 'record 3 (line 2) is not valid UTF-8', { pg_batch_raw: '{"id":2,"name":"\ufffd"}' }],
      [4, 'record 4 (line 2) is a number, expected an object', { pg_batch_raw: '3' }],
    ])
    expect((await rows()).map(({ id }) => id)).to.deep.equal([1, 4])
  })
})
