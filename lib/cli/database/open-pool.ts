import { Socket } from 'node:net'
import pg from 'pg'
import { HostsPool } from '../../connection/pool/hosts-pool.ts'
import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import { usageError } from '../exit-error.ts'

/** Libpq has no timeout by default, and would wait without end for a server that accepts and stays silent. */
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000

export function connectTimeoutOf({ connectTimeoutMs }: ConnectionParameters): number {
  return connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
}

/**
 * Returns a pool, which connects when it is used.
 * @param stream makes the socket of a connection
 * @throws ExitError for a certificate that cannot be read
 */
export function openPool(
  config: ConnectionParameters,
  connections: number,
  stream: () => Socket = () => new Socket(),
): HostsPool {
  const connectTimeoutMs = connectTimeoutOf(config)
  try {
    return new HostsPool(config, { pg, max: connections, connectTimeoutMs, config: { stream } })
  } catch (error) {
    const { path, message } = error as NodeJS.ErrnoException
    throw usageError(`${path ?? 'the connection'}: ${message}`, error)
  }
}
