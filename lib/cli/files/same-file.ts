import { stat } from 'node:fs/promises'

/**
 * Returns the same key for two names of one file: `a.csv` and `./a.csv`, a symbolic and a hard link,
 * `/dev/stdin` and the file that it is redirected from. Returns undefined if there is no such file.
 */
export async function fileKey(path: string): Promise<string | undefined> {
  try {
    // bigint: the inode numbers of some file systems are beyond 2^53
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined // the code that opens the file reports why
  }
}
