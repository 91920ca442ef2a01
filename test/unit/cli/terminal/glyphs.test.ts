import { expect } from 'chai'
import { glyphsOf } from '../../../../lib/cli/terminal/glyphs.ts'

describe('the characters that the command draws with', () => {
  const isAscii = (env: NodeJS.ProcessEnv) => /^[\x20-\x7e]+$/.test(JSON.stringify(glyphsOf(env)))

  it('are ASCII in a locale that is not UTF-8', () => {
    for (const env of [
      { LC_ALL: 'C' },
      { LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' },
      { LC_CTYPE: 'de_DE@euro' },
      { LANG: 'en_US.ISO-8859-1' },
    ]) {
      expect(isAscii(env), JSON.stringify(env)).to.equal(true)
    }
  })

  it('are those of Unicode in a locale of UTF-8, and without any', () => {
    for (const env of [
      {},
      { LC_ALL: '' },
      { LC_ALL: 'C.UTF-8' },
      { LC_CTYPE: 'UTF-8' },
      { LANG: 'de_DE.utf8' },
    ]) {
      expect(isAscii(env), JSON.stringify(env)).to.equal(false)
    }
  })
})
