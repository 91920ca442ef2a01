import pg from 'pg'
import { type EmbeddedServer, startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'

/**
 * The server of one `npm run bench`, with durable settings. The first benchmark that needs it starts it.
 */
export class BenchServer {
  #server: Promise<EmbeddedServer> | undefined

  async connectionString(): Promise<string> {
    this.#server ??= startEmbeddedServer({ durable: true })
    return (await this.#server).connectionString
  }

  /** Undefined when no benchmark needed a server. */
  async version(): Promise<string | undefined> {
    if (!this.#server) return undefined
    const client = new pg.Client({ connectionString: await this.connectionString() })
    await client.connect()
    try {
      const { rows } = await client.query<{ server_version: string; fsync: string }>(
        "SELECT current_setting('server_version') AS server_version, current_setting('fsync') AS fsync",
      )
      const { server_version, fsync } = rows[0]!
      if (fsync !== 'on') throw new Error('The server runs with fsync off: its figures would not be honest')
      return server_version
    } finally {
      await client.end()
    }
  }

  async stop(): Promise<void> {
    await (await this.#server)?.stop()
  }
}
