import { expect } from 'chai'
import { ServerWatch } from '../../../../lib/connection/transaction/server-watch.ts'

/** COMMIT was sent at 1000, 100 ms after the ticket came, and the connection was lost at 1050. */
function watch(lostAt: number | undefined = 1050): ServerWatch {
  const watch = new ServerWatch(900, 1000)
  if (lostAt !== undefined) watch.lost(lostAt)
  return watch
}

/** Finds the server down from one time to another, every `every` ms. */
function down(watch: ServerWatch, from: number, to: number, every = 50): ServerWatch {
  for (let at = from; at <= to; at += every) watch.sawDown(at, at + 5)
  return watch
}

describe('ServerWatch', () => {
  it('takes a recovery that begins right after the connection was lost as the first', () => {
    expect(watch().isFirstRecovery(1100, 1110)).to.equal(true)
  })

  it('takes a recovery as the first after any time in which every question found the server down', () => {
    expect(down(watch(), 1060, 9000).isFirstRecovery(9050, 9060)).to.equal(true)
  })

  it('does not take it as the first where the server was not watched before', () => {
    expect(watch().isFirstRecovery(1500, 1510)).to.equal(false)
    expect(down(watch(), 1060, 2000).isFirstRecovery(2500, 2510)).to.equal(false)
    expect(down(watch(), 1060, 9000, 300).isFirstRecovery(9010, 9020)).to.equal(false)
  })

  it('does not close a gap by what it sees after it', () => {
    const gap = down(down(watch(), 1060, 2000), 2400, 5000)
    expect(gap.isFirstRecovery(4990, 5000)).to.equal(false)
    // what it has seen before the gap still counts
    expect(gap.isFirstRecovery(1900, 1910)).to.equal(true)
  })

  it('counts a question that is answered late as a gap', () => {
    const late = watch()
    late.sawDown(1060, 1400)
    expect(late.isFirstRecovery(1450, 1460)).to.equal(false)
  })

  it('does not take it as the first where the server was up between the crash and that recovery', () => {
    const up = down(watch(), 1060, 2000)
    up.sawUp(2010, 2020)
    down(up, 2030, 3000)
    expect(up.isFirstRecovery(2990, 3000)).to.equal(false)
    expect(up.isFirstRecovery(1990, 2000)).to.equal(true)
  })

  it('ignores that the server is up at first: it is about to crash', () => {
    const up = watch()
    up.sawUp(1051, 1060)
    expect(down(up, 1070, 2000).isFirstRecovery(2010, 2020)).to.equal(true)
  })

  it('counts a server that is still up later', () => {
    const up = watch()
    for (let at = 1060; at < 2000; at += 50) up.sawUp(at, at + 5)
    expect(down(up, 2010, 3000).isFirstRecovery(2050, 2060)).to.equal(false)
  })

  it('does not take a loss that was noticed late, or never, as an observation of the server', () => {
    // after the recovery
    expect(watch(1900).isFirstRecovery(1800, 1810)).to.equal(false)
    // after a long COMMIT, and after silence
    expect(watch(3000).isFirstRecovery(3010, 3020)).to.equal(false)
    expect(watch(undefined).isFirstRecovery(3010, 3020)).to.equal(false)
    // but all of it took place in a moment
    expect(watch(1120).isFirstRecovery(1100, 1110)).to.equal(true)
    expect(watch(undefined).isFirstRecovery(1100, 1110)).to.equal(true)
  })

  it('takes a commit as its own that came soon after COMMIT was sent', () => {
    expect(watch().isOwnCommit(300)).to.equal(true)
    expect(watch().isOwnCommit(400)).to.equal(false)
    expect(watch().isOwnCommit(400, 1000)).to.equal(true)
  })
})
