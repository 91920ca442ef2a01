import { expect } from 'chai'
import { OffsetCommits } from '../../../../lib/kafka/offsets/offset-commits.ts'
import type { KafkaOffset } from '../../../../lib/kafka/offsets/position.ts'

const at = (partition: number, offset: bigint): KafkaOffset => ({ topic: 't', partition, offset })

describe('OffsetCommits', () => {
  it('has one commit under way, and sends what comes meanwhile with the next one', async () => {
    const sent: (readonly KafkaOffset[])[] = []
    const answers: (() => void)[] = []
    const commits = new OffsetCommits(
      offsets => {
        sent.push(offsets)
        return new Promise(resolve => answers.push(resolve))
      },
      () => {},
    )
    commits.add([at(0, 1n)])
    commits.add([at(0, 2n), at(1, 7n)])
    commits.add([at(0, 3n)])
    expect(sent).to.deep.equal([[at(0, 1n)]])
    answers[0]!()
    await new Promise(resolve => setImmediate(resolve))
    expect(sent[1]).to.deep.equal([at(0, 3n), at(1, 7n)])
    answers[1]!()
    await commits.idle()
    expect(sent).to.have.length(2)
  })

  it('reports a commit that fails, and continues', async () => {
    const failures: Error[] = []
    let calls = 0
    const commits = new OffsetCommits(
      async () => {
        if (++calls === 1) throw new Error('not now')
      },
      error => failures.push(error),
    )
    commits.add([at(0, 1n)])
    await commits.idle()
    commits.add([at(0, 2n)])
    await commits.idle()
    expect(failures.map(({ message }) => message)).to.deep.equal(['not now'])
    expect(calls).to.equal(2)
  })
})
