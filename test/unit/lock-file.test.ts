import { readFile } from 'node:fs/promises'
import { expect } from 'chai'

interface LockFile {
  readonly packages: Record<string, { readonly engines?: { readonly node?: string } }>
}

/** Whether one of the alternatives of a range admits a later minor version of Node.js 20. */
function admitsNode20(range: string): boolean {
  return range.split('||').some(alternative => {
    const [, operator, major] = /^\s*(>=|>|\^|~|)\s*v?(\d+|\*)/.exec(alternative) ?? []
    if (major === '*') return true
    return operator?.startsWith('>') ? Number(major) <= 20 : Number(major) === 20
  })
}

/*
 * npm install in a checkout prints a warning for each package whose engines, as the lock file has them, leave
 * out the Node.js that runs it. Two packages of @platformatic/kafka ask for Node.js 22.19, although
 * @platformatic/kafka itself asks for 20.19.4, and works there: the Kafka sink is tested on Node.js 20. The
 * lock file leaves out what these two ask for. npm adds it again with a new version of them; remove
 * `engines` from their entries then.
 */
describe('the lock file', () => {
  it('asks of no package for more than Node.js 20, so that npm install prints no warning', async () => {
    const lock: LockFile = JSON.parse(
      await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    )
    const packages = Object.entries(lock.packages)
    expect(packages.length).to.be.at.least(100)
    const demanding = packages.filter(([, { engines }]) => engines?.node && !admitsNode20(engines.node))
    expect(demanding.map(([path, { engines }]) => `${path}: ${engines?.node}`)).to.deep.equal([])
  })
})
