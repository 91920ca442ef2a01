import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isJson } from '../../values/is-json.ts'
import { openDeadLetterFile } from './open-dead-letter-file.ts'

/** A line of JSON, and the id with which it begins: `{"id":"…"`. */
export interface IdentifiedLine {
  readonly id: string
  /** Without the line end. */
  readonly text: string
}

/**
 * A file of lines. Each line is stored elsewhere before it is appended, and removed there once it is on disk.
 * If the process is killed in between, the next one brings the line again: the id of a line that is already
 * in the file is recognized, and an unfinished line is cut off.
 */
export class DurableLines {
  readonly path: string
  /**
   * The file's length when all its lines were known to be removed elsewhere; undefined when some may come
   * again.
   */
  #settled: number | undefined
  #written: number | undefined

  constructor(path: string) {
    this.path = path
  }

  /**
   * Appends the lines that are not in the file yet; resolves when they are on disk. Only the owner can read
   * the file.
   * @param check called right before; throws if another writer may append the same lines
   */
  async append(lines: readonly IdentifiedLine[], check: () => void = () => {}): Promise<void> {
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
      check()
      await file.appendFile(text)
      if (stat.isFile()) await file.sync()
      if (isNew) await syncFolder(this.path)
      this.#written = (await file.stat()).size
    } finally {
      await file.close()
    }
  }

  /** Notes that the lines appended last were removed elsewhere, and will not come again. */
  settle(): void {
    this.#settled = this.#written
  }

  /** Makes the file end with a whole line. Returns the ids of those lines that are already in it. */
  async #recover(file: FileHandle, lines: readonly IdentifiedLine[]): Promise<Set<string>> {
    await repairEnd(file)
    return idsIn(file, new Set(lines.map(({ id }) => id)))
  }
}

const NEWLINE = 0x0a

/** The beginning of each line that this class writes. */
const BEGINNING = '{"id":"'

/**
 * Repairs a last line that has no line end. It is whole (an editor has left the line end out), or the
 * beginning of one of our lines (which comes again), or a line of another program, which is kept.
 */
async function repairEnd(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const start = await lastLineStart(file, size)
  if (start === size) return
  // after a power failure there may be NULs where bytes had not reached the disk
  const rest = (await readAt(file, start, size - start)).toString().replace(/\0+$/, '')
  const isOurs = rest.startsWith(BEGINNING) || BEGINNING.startsWith(rest)
  if (isOurs && !isJson(rest)) await file.truncate(start)
  else await file.appendFile('\n')
}

/** Returns the offset of the first byte after the last line end. */
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

/** Returns the ids that occur in a file. */
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

/**
 * Syncs the folder, so that a new file's name is on disk. Where folders cannot be synced, the system does
 * that.
 */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r')
    await folder.sync().finally(() => folder.close())
  } catch {}
}
