/** Stands for an invalid character in decoded text: half of a surrogate pair, which no decoder returns. */
export const INVALID = '\udfff'

/** A byte that UTF-8 never has. */
const NO_UTF8 = Buffer.from([0xff])

/**
 * Returns the UTF-8 of a decoded text. Each invalid character becomes the byte 0xff. The reader of the
 * records then finds that its record is not valid.
 */
export function utf8WithInvalid(text: string): Buffer {
  if (!text.includes(INVALID)) return Buffer.from(text)
  return Buffer.concat(
    text.split(INVALID).flatMap((part, index) => (index === 0 ? [] : [NO_UTF8]).concat([Buffer.from(part)])),
  )
}

/** Returns the text with `INVALID` for each half of a surrogate pair. */
export function withoutHalves(text: string): string {
  return text.replace(/\p{Surrogate}/gu, INVALID)
}
