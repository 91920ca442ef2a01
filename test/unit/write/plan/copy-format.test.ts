import { expect } from 'chai'
import { CopyFormatChoice } from '../../../../lib/write/plan/copy-format.ts'

describe('the choice of a COPY format', () => {
  /** The formats of the batches that follow a miss, up to the first binary one. */
  const textBatchesAfterMiss = (choice: CopyFormatChoice): number => {
    choice.missed()
    let count = 0
    for (; choice.current === 'text'; count++) choice.batchDone()
    return count
  }

  it('starts with binary', () => {
    expect(new CopyFormatChoice('auto')).to.include({ current: 'binary', binaryOnly: false })
  })

  it('stays with text for twice as many batches after each miss, at most 64', () => {
    const choice = new CopyFormatChoice('auto')
    const counts = Array.from({ length: 9 }, () => textBatchesAfterMiss(choice))
    expect(counts).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 64, 64])
  })

  it('forgets its misses after one batch that went as binary', () => {
    const choice = new CopyFormatChoice('auto')
    textBatchesAfterMiss(choice)
    textBatchesAfterMiss(choice)
    choice.batchDone()
    expect(textBatchesAfterMiss(choice)).to.equal(1)
  })

  it('never leaves a format that the user has set', () => {
    for (const format of ['binary', 'text'] as const) {
      const choice = new CopyFormatChoice(format)
      choice.missed()
      expect(choice).to.include({ current: format, binaryOnly: format === 'binary' })
    }
  })
})
