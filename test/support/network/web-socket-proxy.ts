import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { WebSocketServer } from 'ws'

export interface WebSocketProxy {
  /** Host and port of the proxy, on loopback. */
  readonly address: string
  /** Sessions that the proxy has opened so far. */
  readonly sessions: number
  close(): Promise<void>
}

/** Carries PostgreSQL's protocol over WebSockets, as the proxy of a serverless provider does. */
export async function startWebSocketProxy(port: number): Promise<WebSocketProxy> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  let sessions = 0
  server.on('connection', webSocket => {
    sessions++
    const socket = connect(port, '127.0.0.1')
    webSocket.on('message', data => socket.write(data as Buffer))
    webSocket.on('close', () => socket.destroy())
    socket.on('data', data => webSocket.send(data))
    socket.on('close', () => webSocket.close())
    socket.on('error', () => webSocket.close())
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sessions() {
      return sessions
    },
    async close() {
      for (const client of server.clients) client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
