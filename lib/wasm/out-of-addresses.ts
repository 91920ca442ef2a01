/** What an instance of WebAssembly lacks, to continue the name of what needs one. */
export const OUT_OF_ADDRESSES =
  'cannot be unpacked: WebAssembly gets no memory; raise the limit of addresses (ulimit -v)'

/** Returns true where an instance of WebAssembly reserves more addresses than a limit leaves. */
export function isOutOfAddresses(error: unknown): boolean {
  return error instanceof RangeError && /^WebAssembly.*allocate/.test(error.message)
}
