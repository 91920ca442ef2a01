import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { bytesOf } from '../../sources/input/spool.ts'

/** What tells a file from one that was changed: cheap to learn, however large the file. */
export interface FileIdentity {
  readonly size: bigint
  /** Nanoseconds since 1970: milliseconds would miss a quick edit. */
  readonly mtimeNs: bigint
  /** SHA-256 of its first bytes; of what came from a pipe, of all. */
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
 * The same of what came from a pipe, and lies in a temporary file: its own time says nothing, and so all of its bytes
 * are compared with those of the next run.
 */
export async function identityOfSpooled(file: FileHandle): Promise<FileIdentity> {
  const { size } = await file.stat({ bigint: true })
  const hash = createHash('sha256')
  for await (const chunk of bytesOf(file)) hash.update(chunk as Buffer)
  return { size, mtimeNs: 0n, headHash: hash.digest('hex') }
}

/** What differs, in words; undefined when nothing does. */
export function difference(before: FileIdentity, now: FileIdentity): string | undefined {
  if (before.size !== now.size) return `it had ${before.size} bytes and has ${now.size}`
  if (before.headHash !== now.headHash)
    return now.mtimeNs === 0n ? 'it has other bytes' : 'it begins with other bytes'
  if (before.mtimeNs !== now.mtimeNs) return 'it was written to'
  return undefined
}
