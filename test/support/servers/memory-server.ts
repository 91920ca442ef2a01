import { accessSync, constants, rmSync, statfsSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../../lib/embedded/embedded-server.ts'

/** Linux's file system in memory. In a container it may be small. */
const MEMORY = '/dev/shm'
const ENOUGH_BYTES = 3 * 2 ** 30

/**
 * Returns where servers of tests keep their data: in memory if there is room, else where temporary files are.
 * On a disk, a new database costs the kernel twenty times as much, and a new table three times.
 */
export function dataFolder(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    if (bavail * bsize >= ENOUGH_BYTES) return MEMORY
  } catch {
    // not Linux
  }
  return tmpdir()
}

/** Makes a folder for the data of servers, which their user can reach, too. */
export async function newDataFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(dataFolder(), prefix))
  await chmod(folder, 0o755)
  return folder
}

/** Starts an embedded server that keeps its data in memory and deletes it on stop. */
export async function startMemoryServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const folder = await newDataFolder('pg-batch-data-')
  // the server may still write to it
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
  try {
    const server = await startEmbeddedServer({ ...options, durable: false, dataDir: join(folder, 'data') })
    process.once('exit', remove)
    return {
      ...server,
      async stop() {
        process.off('exit', remove)
        await server.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
