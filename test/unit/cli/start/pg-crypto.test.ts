import { createRequire } from 'node:module'
import { expect } from 'chai'
import fc from 'fast-check'
import * as ours from '../../../../lib/cli/start/pg-crypto.ts'
import { thorough } from '../../../support/thorough.ts'

const theirs = createRequire(import.meta.url)('pg/lib/crypto/utils') as Record<
  keyof typeof ours,
  (...values: unknown[]) => unknown
>

describe("the command's cryptography for passwords", () => {
  it("has the functions of pg's module", () => {
    expect(Object.keys(ours)).to.have.members(Object.keys(theirs))
    expect(ours.randomBytes(18)).to.be.instanceof(Buffer).and.have.length(18)
  })

  it('computes the same', async () => {
    const texts = fc.string({ unit: 'grapheme' })
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 100 }).map(array => Buffer.from(array))
    await fc.assert(
      fc.asyncProperty(
        texts,
        texts,
        bytes,
        fc.integer({ min: 1, max: 50 }),
        async (text, other, salt, count) => {
          expect(ours.md5(text)).to.equal(await theirs.md5(text))
          expect(ours.postgresMd5PasswordHash(text, other, salt)).to.equal(
            await theirs.postgresMd5PasswordHash(text, other, salt),
          )
          const pairs: [unknown, unknown][] = [
            [ours.sha256(salt), await theirs.sha256(salt)],
            [ours.hashByName('SHA-384', salt), await theirs.hashByName('SHA-384', salt)],
            [ours.hashByName('SHA-512', salt), await theirs.hashByName('SHA-512', salt)],
            [ours.hmacSha256(salt, text), await theirs.hmacSha256(salt, text)],
            [await ours.deriveKey(text, salt, count), await theirs.deriveKey(text, salt, count)],
          ]
          for (const [own, their] of pairs) expect(own).to.deep.equal(Buffer.from(their as ArrayBuffer))
        },
      ),
      { numRuns: Math.max(50, thorough(500)) },
    )
  })
})
