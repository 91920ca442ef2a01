/** The most rows that are encoded at a time. */
export const MAX_RUN = 1024

export const NULL_LENGTH = -1

/** Where the values of one column are, for some consecutive rows: parts of `bytes`. */
export class FieldRun {
  bytes: Buffer = Buffer.alloc(0)
  /** The same memory, for copying words. */
  view: DataView = new DataView(new ArrayBuffer(0))
  readonly starts = new Int32Array(MAX_RUN)
  /** The number of bytes of each value, or NULL_LENGTH. */
  readonly lengths = new Int32Array(MAX_RUN)

  /** Refers to these bytes from now on. */
  read(bytes: Buffer): void {
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}
