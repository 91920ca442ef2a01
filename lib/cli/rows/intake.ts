import { Readable } from 'node:stream'

/**
 * Stands between a file and the batches: it counts, leaves out what an earlier run has written, and can end early,
 * so that what was taken in is still written. A source in front of a `pipeline` could only be destroyed.
 */
export abstract class Intake<Chunk> extends Readable {
  readonly #source: Readable
  #waiting = false
  #over = false
  #stopped = false
  /** Rows taken from the file, those that were skipped among them. */
  rowsRead = 0

  constructor(source: Readable, highWaterMark: number) {
    super({ objectMode: true, highWaterMark })
    this.#source = source
    source.on('readable', () => this.#waiting && this.#pull())
    source.once('end', () => this.#end())
    source.once('error', error => this.destroy(error))
    if (source.errored) this.destroy(source.errored)
    else if (source.readableEnded) this.#end()
  }

  /** Counts what a chunk of the source holds; returns what is handed on of it, if anything is. */
  protected abstract admit(chunk: Chunk): unknown

  /** The rows ended before the file did. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends the rows here. False when they had come to their end already. */
  stop(): boolean {
    if (this.#over) return false
    this.#stopped = true
    this.#end()
    this.#source.destroy()
    return true
  }

  override _read(): void {
    this.#pull()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#over = true
    this.#source.destroy()
    callback(error)
  }

  #pull(): void {
    this.#waiting = false
    while (!this.#over) {
      const chunk: Chunk | null = this.#source.read()
      if (chunk === null) {
        this.#waiting = true
        return
      }
      let admitted: unknown
      try {
        admitted = this.admit(chunk)
      } catch (error) {
        this.destroy(error as Error)
        return
      }
      if (admitted !== undefined && !this.push(admitted)) return
    }
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.push(null)
  }
}
