import { type AddressInfo, createServer } from 'node:net'
import { expect } from 'chai'
import pg from 'pg'
import type { PgPoolLike } from '../../../../lib/connection/pg-types.ts'
import { Lease } from '../../../../lib/connection/pool/lease.ts'

const message = (type: string, body: string): Buffer => {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(body))
  bytes.write(type)
  bytes.writeInt32BE(bytes.length - 1, 1)
  bytes.write(body, 5)
  return bytes
}

/** Authentication is fine, ready, and: terminated by an administrator. All at once. */
const READY_AND_GONE = Buffer.concat([
  message('R', '\0\0\0\0'),
  message('Z', 'I'),
  message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'),
])

describe('handing a client over', () => {
  it('survives a server that is ready and gone in one packet', async () => {
    const server = createServer(socket => socket.once('data', () => socket.end(READY_AND_GONE)))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'nobody', database: 'none' })
    const signals = { stop: new AbortController().signal, kill: new AbortController().signal }
    const lease = await Lease.take(pool as PgPoolLike, signals, 1000)
    const refused = await lease.client.query('SELECT 1').catch((error: Error) => error)
    expect(refused).to.be.an('error')
    lease.end(refused as Error)
    await pool.end()
    await new Promise(resolve => server.close(resolve))
  })
})
