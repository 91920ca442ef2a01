import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { bytesOf } from '../../sources/input/spool.ts'

/** Shows whether a file has changed. Its cost does not depend on the file's size. */
export interface FileIdentity {
  readonly size: bigint
  /** Nanoseconds since 1970. Milliseconds would miss a quick edit. */
  readonly mtimeNs: bigint
  /** The SHA-256 of the first bytes. For a pipe, of all bytes. */
  readonly headHash: string
}

const HEAD_BYTES = 64 * 1024

export async function identityOf(path: string): Promise<FileIdentity> {
  const file = await open(path)
  try {
    const { size, mtimeNs } = await file.stat({ bigint: true })
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const headHash = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex')
    return { size, mtimeNs, headHash }
  } finally {
    await file.close()
  }
}

/**
 * Returns the identity of what came from a pipe and is in a temporary file. The time of that file says
 * nothing, so that all bytes are compared with those of the next run.
 */
export async function identityOfSpooled(file: FileHandle): Promise<FileIdentity> {
  const { size } = await file.stat({ bigint: true })
  const hash = createHash('sha256')
  for await (const chunk of bytesOf(file)) hash.update(chunk as Buffer)
  return { size, mtimeNs: 0n, headHash: hash.digest('hex') }
}

/** Returns what differs, or undefined if nothing does. */
export function difference(before: FileIdentity, now: FileIdentity): string | undefined {
  if (before.size !== now.size) return `it had ${before.size} bytes and has ${now.size}`
  if (before.headHash !== now.headHash)
    return now.mtimeNs === 0n ? 'it has other bytes' : 'it begins with other bytes'
  if (before.mtimeNs !== now.mtimeNs) return 'it was written to'
  return undefined
}
