/** V8 does not optimize functions of more than 60 kB of bytecode; a column takes about 60 bytes. */
export const MAX_UNROLLED = 256

/**
 * Makes a function from its text, in which `names` have the given values. The text is made of column numbers:
 * data never becomes part of it.
 * @returns undefined in a process that must not make code from strings
 */
export function compile<Made>(text: string, names: Readonly<Record<string, unknown>>): Made | undefined {
  try {
    return new Function(...Object.keys(names), `'use strict'\n${text}`)(...Object.values(names)) as Made
  } catch {
    return undefined // node --disallow-code-generation-from-strings
  }
}
