/**
 * The codes of ASCII characters. TypeScript and AssemblyScript both compile this file, so it holds numbers
 * only. The build writes them into the command and into WebAssembly as literals. It does not write them into
 * the modules of the package, where V8 reads an imported constant from memory each time: codecs that read
 * text took 5 to 25 % longer. Modules of the package that look at each character of a text therefore have
 * constants of their own.
 */

export const TAB = 0x09
export const LINE_FEED = 0x0a
export const RETURN = 0x0d
export const SPACE = 0x20
export const QUOTE = 0x22
export const PLUS = 0x2b
export const COMMA = 0x2c
export const MINUS = 0x2d
/** The same character where it is no sign: in dates and uuids. */
export const DASH = 0x2d
export const POINT = 0x2e
export const SLASH = 0x2f
export const ZERO = 0x30
export const COLON = 0x3a
export const UPPER_T = 0x54
export const UPPER_Z = 0x5a
export const OPEN_BRACKET = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_BRACKET = 0x5d
export const LOWER_B = 0x62
export const LOWER_E = 0x65
export const LOWER_F = 0x66
export const LOWER_N = 0x6e
export const LOWER_R = 0x72
export const LOWER_T = 0x74
export const LOWER_U = 0x75
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d
