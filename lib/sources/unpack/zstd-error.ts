const CHECKSUM_WRONG = 22

/** Bytes that the decoder rejects. */
export class ZstdError extends Error {
  readonly wrongChecksum: boolean

  constructor(code: number) {
    super(`zstd: error ${code}`)
    this.wrongChecksum = code === CHECKSUM_WRONG
  }
}
