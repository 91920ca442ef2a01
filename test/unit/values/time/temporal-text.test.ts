import { expect } from 'chai'
import { dateText, timestampText, timeText } from '../../../../lib/values/time/temporal-text.ts'

describe('temporal text', () => {
  for (const [days, text] of [
    [0, '1970-01-01'],
    [-1, '1969-12-31'],
    [20_458n, '2026-01-05'],
    [-719_162, '0001-01-01'],
    [-719_163, '0001-12-31 BC'],
    [-735_160n, '0044-03-15 BC'],
    [20_458 + 730 * 146_097, '294026-01-05'],
  ] as const) {
    it(`writes day ${days} as ${text}`, () => {
      expect(dateText(days)).to.equal(text)
    })
  }

  for (const [count, digits, shortest, six] of [
    [0n, 3, '00:00:00', '00:00:00.000000'],
    [86_399_999n, 3, '23:59:59.999', '23:59:59.999000'],
    [1_500_000n, 6, '00:00:01.5', '00:00:01.500000'],
    [1_000_000_001n, 9, '00:00:01.000000001', '00:00:01.000000001'],
    [1_000_001_000n, 9, '00:00:01.000001', '00:00:01.000001'],
    [-3_600_500n, 3, '-01:00:00.5', '-01:00:00.500000'],
    [360_000_000n, 3, '100:00:00', '100:00:00.000000'],
  ] as const) {
    it(`writes the time ${count} of ${digits} digits as ${shortest}, and as ${six}`, () => {
      expect(timeText(count, digits, 'shortest')).to.equal(shortest)
      expect(timeText(count, digits, 'six')).to.equal(six)
    })
  }

  it('writes timestamps before 1970, and before the year 1, with the fraction counted forwards', () => {
    const style = { separator: 'T', zone: 'Z', decimals: 'six' } as const
    expect(timestampText(-1n, 6, style)).to.equal('1969-12-31T23:59:59.999999Z')
    expect(timestampText(-62_135_596_800_001n, 3, style)).to.equal('0001-12-31T23:59:59.999000Z BC')
    const plain = { separator: ' ', zone: '', decimals: 'shortest' } as const
    expect(timestampText(-62_135_596_800_001n, 3, plain)).to.equal('0001-12-31 23:59:59.999 BC')
    expect(timestampText(0n, 9, plain)).to.equal('1970-01-01 00:00:00')
  })

  it('agrees with Date on every day of four centuries', () => {
    const style = { separator: 'T', zone: 'Z', decimals: 'six' } as const
    for (let days = -75_000; days < 75_000; days++) {
      const date = new Date(days * 86_400_000)
      expect(dateText(days)).to.equal(date.toISOString().slice(0, 10))
      const text = date.toISOString().replace('Z', '000Z')
      expect(timestampText(BigInt(date.getTime()), 3, style)).to.equal(text)
    }
  })
})
