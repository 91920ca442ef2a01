/** The value of a hex digit by its character code, else -1. */
const HEX_VALUE = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? -1 : digit
})

/** The value of the hex digit at a place of the text, in either case; -1 where there is none. */
export function hexAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 128 ? HEX_VALUE[code]! : -1
}
