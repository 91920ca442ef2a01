import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

/** What tells a file from one that was changed: cheap to learn, however large the file. */
export interface FileIdentity {
  readonly size: bigint
  /** Nanoseconds since 1970: milliseconds would miss a quick edit. */
  readonly mtimeNs: bigint
  /** SHA-256 of its first bytes. */
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

/** What differs, in words; undefined when nothing does. */
export function difference(before: FileIdentity, now: FileIdentity): string | undefined {
  if (before.size !== now.size) return `it had ${before.size} bytes and has ${now.size}`
  if (before.headHash !== now.headHash) return 'it begins with other bytes'
  if (before.mtimeNs !== now.mtimeNs) return 'it was written to'
  return undefined
}
