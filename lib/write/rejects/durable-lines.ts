import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openDeadLetterFile } from './open-dead-letter-file.ts'

/** A line of JSON, and the id that it begins with: `{"id":"…"`. */
export interface IdentifiedLine {
  readonly id: string
  /** Without the line end. */
  readonly text: string
}

/**
 * A file of lines, each of which was stored elsewhere before it is appended, and is removed there once it is on disk. A
 * process may be killed at any moment in between, and the next one then brings the line again: what is in the file
 * already is recognized by its id, and the rest of a line that was not written whole is cut off.
 */
export class DurableLines {
  readonly path: string
  /** The file's length when all lines in it were known to be removed elsewhere; undefined: some may come again. */
  #settled: number | undefined
  #written: number | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Appends the lines that are not in the file yet; resolves when they are on disk. The file is its owner's alone. */
  async append(lines: readonly IdentifiedLine[]): Promise<void> {
    const settled = this.#settled
    this.#settled = undefined
    const file = await openDeadLetterFile(this.path, constants.O_RDWR)
    try {
      const stat = await file.stat()
      const isNew = stat.size === 0
      const known = stat.isFile() && stat.size !== settled ? await this.#recover(file, lines) : new Set()
      const text = lines
        .filter(({ id }) => !known.has(id))
        .map(line => `${line.text}\n`)
        .join('')
      await file.appendFile(text)
      if (stat.isFile()) await file.sync()
      if (isNew) await syncFolder(this.path)
      this.#written = (await file.stat()).size
    } finally {
      await file.close()
    }
  }

  /** Says that the lines appended last were removed elsewhere, and will not come again. */
  settle(): void {
    this.#settled = this.#written
  }

  /** Makes the file end with a whole line; returns which of the lines are in it. */
  async #recover(file: FileHandle, lines: readonly IdentifiedLine[]): Promise<Set<string>> {
    await repairEnd(file)
    return idsIn(file, new Set(lines.map(({ id }) => id)))
  }
}

const NEWLINE = 0x0a

/** How our lines begin. */
const BEGINNING = '{"id":"'

/**
 * A last line without an end is whole (an editor left the line end out), the beginning of one of ours (which comes
 * again), or somebody else's, which is kept.
 */
async function repairEnd(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const start = await lastLineStart(file, size)
  if (start === size) return
  // a machine that loses its power may leave NULs where the bytes had not come to the disk
  const rest = (await readAt(file, start, size - start)).toString().replace(/\0+$/, '')
  const isOurs = rest.startsWith(BEGINNING) || BEGINNING.startsWith(rest)
  if (isOurs && !isJson(rest)) await file.truncate(start)
  else await file.appendFile('\n')
}

/** Where the bytes after the last line end begin. */
async function lastLineStart(file: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES)
    const at = (await readAt(file, start, end - start)).lastIndexOf(NEWLINE)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}

const BLOCK_BYTES = 64 * 1024
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const ID_LENGTH = 36

/** Which of the ids occur in a file. */
async function idsIn(file: FileHandle, wanted: ReadonlySet<string>): Promise<Set<string>> {
  const found = new Set<string>()
  const { size } = await file.stat()
  for (let at = 0; at < size; at += BLOCK_BYTES) {
    // an id may cross the end of a block
    const text = (await readAt(file, at, BLOCK_BYTES + ID_LENGTH)).toString('latin1')
    for (const [id] of text.matchAll(ID)) if (wanted.has(id)) found.add(id)
  }
  return found
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** A new file's name is on disk once its folder is; where folders cannot be synced, the system does that. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r')
    await folder.sync().finally(() => folder.close())
  } catch {}
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
