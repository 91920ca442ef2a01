/** The optimizing compiler refuses functions of more than 60 kB of bytecode; a column makes about 60 bytes. */
export const MAX_UNROLLED = 256

/**
 * A function from its text, in which `names` stand for their values. The text is made of columns' numbers, and never
 * holds anything of the data.
 * @returns undefined in a process that may not make code from strings
 */
export function compile<Made>(text: string, names: Readonly<Record<string, unknown>>): Made | undefined {
  try {
    return new Function(...Object.keys(names), `'use strict'\n${text}`)(...Object.values(names)) as Made
  } catch {
    return undefined // node --disallow-code-generation-from-strings
  }
}
