/** The characters by which the command draws, apart from letters. */
export interface Glyphs {
  /** In place of what a shortened text leaves out. */
  readonly ellipsis: string
  /** The part of a bar that is done, and the rest. */
  readonly done: string
  readonly left: string
  /** The lines of a table, by the names of cli-table3; undefined for its own. */
  readonly lines: Readonly<Record<string, string>> | undefined
}

const UNICODE: Glyphs = Object.freeze({ ellipsis: '…', done: '█', left: '░', lines: undefined })

const ASCII: Glyphs = Object.freeze({
  ellipsis: '...',
  done: '#',
  left: '.',
  lines: Object.freeze({
    top: '-',
    'top-mid': '+',
    'top-left': '+',
    'top-right': '+',
    bottom: '-',
    'bottom-mid': '+',
    'bottom-left': '+',
    'bottom-right': '+',
    left: '|',
    'left-mid': '+',
    mid: '-',
    'mid-mid': '+',
    right: '|',
    'right-mid': '+',
    middle: '|',
  }),
})

/**
 * Returns the characters that a locale can show. A locale that is not UTF-8, such as `LC_ALL=C`, shows others
 * than ASCII as garbage. Without any locale, as in most containers, the terminal decides, and nearly all of
 * them take UTF-8.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
 */
export function glyphsOf(env: NodeJS.ProcessEnv): Glyphs {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  return !locale || /utf-?8/i.test(locale) ? UNICODE : ASCII
}

export const glyphs = glyphsOf(process.env)

/** Returns a text of the help, whose only character beyond ASCII is the ellipsis, as the locale shows it. */
export function inGlyphs(text: string): string {
  return text.replaceAll(UNICODE.ellipsis, glyphs.ellipsis)
}
