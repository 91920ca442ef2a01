import { expect } from 'chai'
import sinon from 'sinon'
import { CopyIn } from '../../../lib/connection/copy-in.ts'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { rejectionOf } from '../../support/writing.ts'

/** A connection that keeps what is written to it; sends of a full socket end when `drain` is called. */
function openCopy({ busy = false, counts = true } = {}) {
  const written: Buffer[] = []
  const failures: string[] = []
  const sends: (() => void)[] = []
  const stream = {
    writableLength: counts ? 0 : (undefined as unknown as number),
    write(bytes: Uint8Array, encoding?: BufferEncoding, done?: () => void) {
      if (typeof encoding === 'function') throw new TypeError('the callback is not the encoding')
      written.push(Buffer.from(bytes))
      if (done) sends.push(done)
      return true
    },
  }
  const connection = { query() {}, sendCopyFail: (message: string) => failures.push(message), stream }
  let submit = () => {}
  const query = (copy: CopyIn): void => {
    submit = () => copy.submit(connection)
    if (!busy) submit()
  }
  const client = { query } as unknown as PgClientLike
  const copy = CopyIn.open(client, 'COPY t FROM STDIN')
  return {
    copy,
    submit: () => submit(),
    written,
    failures,
    stream,
    drain: () =>
      sends.splice(0).forEach(done => {
        done()
      }),
  }
}

const piece = (text: string) => Buffer.from(`\0\0\0\0\0${text}`)
const refused = Object.assign(new Error('refused'), { severity: 'ERROR', code: '22P02' })

describe('a COPY', () => {
  it('puts the header of CopyData into the piece, and ends with CopyDone', async () => {
    const { copy, written } = openCopy()
    copy.handleCopyInResponse()
    expect(copy.write(piece('abc'))).to.equal(undefined)
    const end = copy.end()
    await copy.ready()
    copy.handleReadyForQuery()
    await end
    expect(Buffer.concat(written)).to.deep.equal(Buffer.from('d\0\0\0\x07abcc\0\0\0\x04', 'latin1'))
  })

  it('sends a query behind its end in one write, and leaves the answers to that query apart', async () => {
    const { copy, written } = openCopy()
    copy.handleCopyInResponse()
    const next = copy.endBefore('COMMIT; BEGIN')
    expect(Buffer.concat(written).toString('latin1')).to.equal('c\0\0\0\x04' + 'Q\0\0\0\x12COMMIT; BEGIN\0')
    copy.handleCommandComplete({ text: 'COPY 1' })
    copy.handleReadyForQuery()
    await copy.settled
    next.handleCommandComplete({ text: 'COMMIT' })
    next.handleError(refused)
    expect(await rejectionOf(next.settled)).to.equal(refused)
    expect(next.tags).to.deep.equal(['COMMIT'])
  })

  it('sends no query behind its end once it is known to have failed', () => {
    const { copy, written } = openCopy()
    copy.handleError(refused)
    expect(() => copy.endBefore('COMMIT')).to.throw('refused')
    expect(written).to.have.length(0)
  })

  it('waits for the callback of a socket that does not count what waits in it', async () => {
    const { copy, written, drain } = openCopy({ counts: false })
    copy.handleCopyInResponse()
    const sent = copy.write(piece('abc'))
    expect(sent).to.be.a('promise')
    drain()
    await sent
    expect(written).to.have.length(1)
  })

  it('sends data, and their end, before the server has answered the statement', async () => {
    const { copy, written } = openCopy()
    expect(copy.write(piece('abc'))).to.equal(undefined)
    const end = copy.end()
    expect(Buffer.concat(written)).to.deep.equal(Buffer.from('d\0\0\0\x07abcc\0\0\0\x04', 'latin1'))
    copy.handleCopyInResponse()
    copy.handleReadyForQuery()
    await end
  })

  it('sends nothing before pg has sent the statement', async () => {
    const { copy, written, submit } = openCopy({ busy: true })
    const sent = copy.write(piece('abc'))
    const end = copy.end()
    await Promise.resolve()
    expect(written).to.have.length(0)
    submit()
    copy.handleCopyInResponse()
    await sent
    await new Promise(resolve => setImmediate(resolve))
    copy.handleReadyForQuery()
    await end
    expect(written).to.have.length(2)
  })

  it('asks for a pause while much waits in the socket', async () => {
    const { copy, stream, drain } = openCopy()
    copy.handleCopyInResponse()
    stream.writableLength = 1024 * 1024
    let drained = false
    const sent = copy.write(piece('abc'))!.then(() => {
      drained = true
    })
    await Promise.resolve()
    expect(drained).to.equal(false)
    drain()
    await sent
  })

  it('keeps nothing of the writes that have waited, however many a COPY has', async () => {
    const { copy, stream, drain } = openCopy()
    copy.handleCopyInResponse()
    stream.writableLength = 1024 * 1024
    const reactions = sinon.spy(copy.settled, 'then')
    for (let count = 0; count < 10; count++) {
      const sent = copy.write(piece('abc'))
      drain()
      await sent
    }
    expect(reactions.callCount).to.equal(0)
  })

  const WAITS: readonly [
    title: string,
    wait: (copy: CopyIn, stream: { writableLength: number }) => unknown,
  ][] = [
    ['ready()', copy => copy.ready()],
    ['end()', copy => copy.end()],
    [
      'a write into a full socket',
      (copy, stream) => {
        copy.handleCopyInResponse()
        stream.writableLength = 1024 * 1024
        return copy.write(piece('abc'))
      },
    ],
  ]
  for (const [title, wait] of WAITS) {
    it(`rejects what waits as soon as the server refuses: ${title}`, async () => {
      const { copy, stream } = openCopy()
      const waiting = Promise.resolve(wait(copy, stream))
      copy.handleError(refused)
      copy.handleReadyForQuery()
      expect(await rejectionOf(waiting)).to.equal(refused)
      expect(() => copy.write(piece('x'))).to.throw('refused')
    })
  }

  it('sends CopyFail when it is aborted, once the server takes data, and waits for the answer', async () => {
    for (const early of [true, false]) {
      const { copy, failures } = openCopy()
      if (!early) copy.handleCopyInResponse()
      let aborted = false
      const abort = copy.abort().then(() => {
        aborted = true
      })
      expect(failures).to.have.length(early ? 0 : 1)
      if (early) copy.handleCopyInResponse()
      expect(failures).to.have.length(1)
      await new Promise(resolve => setImmediate(resolve))
      expect(aborted).to.equal(false)
      copy.handleError(refused)
      await abort
    }
  })

  it('sends no CopyFail to a server that has refused the COPY already', async () => {
    const { copy, failures } = openCopy()
    copy.handleCopyInResponse()
    copy.handleError(refused)
    await copy.abort()
    expect(failures).to.deep.equal([])
  })

  it('keeps the rows of statements before it', async () => {
    const { copy } = openCopy()
    copy.handleRowDescription()
    copy.handleDataRow({ fields: ['123'] })
    copy.handleCommandComplete()
    copy.handleCopyInResponse()
    await copy.ready()
    expect(copy.precedingRows).to.deep.equal([['123']])
  })
})
