import { expect } from 'chai'
import { ColumnChunk } from '../../../lib/columnar/block.ts'
import { sizeOfBlock } from '../../../lib/columnar/block-size.ts'
import { Dictionary, type StoredValues } from '../../../lib/columnar/stored-values.ts'

describe('the size of a block', () => {
  const sizeOf = (values: StoredValues, positions: number[]) => {
    const type = { convert: (value: unknown) => value, meaning: 'other' } as const
    const chunk = new ColumnChunk(values, type, Int32Array.from(positions))
    return sizeOfBlock({ length: positions.length, columns: [{ chunk, start: 0 }] })
  }
  const dictionaryOf = (...texts: string[]): StoredValues => {
    const ends = Int32Array.from(texts, (_, i) => texts.slice(0, i + 1).join('').length)
    const starts = Int32Array.from(ends, (end, i) => end - texts[i]!.length)
    const bytes = Buffer.from(texts.join(''))
    const dictionary = new Dictionary({ kind: 'bytes', bytes, starts, ends })
    return { kind: 'dictionary', indexes: Uint8Array.from(texts.keys()), dictionary }
  }

  it('is that of the texts which its rows have in a dictionary', () => {
    const texts = ['x'.repeat(100), 'y'.repeat(300), 'z'.repeat(1000)]
    expect(sizeOf(dictionaryOf(...texts), [0, 1, -1, 1])).to.equal(700)
  })

  it('is 0 if all rows are NULL, and the dictionary is empty', () => {
    expect(sizeOf(dictionaryOf(), [-1, -1])).to.equal(0)
  })

  it('has the values of lists and structs, and none for a NULL', () => {
    const values = [[1, 2, 3], { a: 'x'.repeat(50), b: Buffer.alloc(40) }, [['y'.repeat(30)], null]]
    expect(sizeOf({ kind: 'any', values }, [0])).to.equal(24)
    expect(sizeOf({ kind: 'any', values }, [1])).to.be.within(90, 120)
    expect(sizeOf({ kind: 'any', values }, [2])).to.be.within(30, 60)
    expect(sizeOf({ kind: 'any', values }, [-1])).to.equal(0)
  })
})
