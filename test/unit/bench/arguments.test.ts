import { expect } from 'chai'
import { CommanderError } from 'commander'
import sinon from 'sinon'
import { BENCHES } from '../../../bench/benches.ts'
import { readArguments } from '../../../bench/support/arguments.ts'

const benches = await Promise.all(Object.values(BENCHES).map(async load => (await load()).bench))

describe('the arguments of the benchmarks', () => {
  afterEach(() => sinon.restore())

  it('run all benchmarks by default, and otherwise those that are named', () => {
    expect(readArguments([], benches).names).to.deep.equal(Object.keys(BENCHES))
    expect(readArguments(['upsert', '--quick'], benches)).to.deep.equal({ names: ['upsert'], quick: true })
  })

  it('--only takes words, which name groups of cases', () => {
    expect(readArguments(['load', '--only', 'parquet', 'gzip'], benches)).to.deep.equal({
      names: ['load'],
      only: ['parquet', 'gzip'],
    })
  })

  it('--help says what each benchmark asks and how long it takes', () => {
    const write = sinon.stub(process.stdout, 'write')
    expect(() => readArguments(['--help'], benches)).to.throw(CommanderError)
    const help = write.args.join('')
    sinon.restore()
    expect(benches).to.have.length.above(10)
    for (const { name, question, minutes } of benches) {
      expect(help)
        .to.match(new RegExp(`^  ${name} +${minutes} min  `, 'm'))
        .and.to.include(question)
    }
  })

  it('an unknown name is refused, with the nearest one', () => {
    const write = sinon.stub(process.stderr, 'write')
    expect(() => readArguments(['upset'], benches)).to.throw(CommanderError)
    const line = write.args.join('')
    sinon.restore()
    expect(line).to.match(/there is no bench "upset".*upsert/)
  })
})
