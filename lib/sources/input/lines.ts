import { formatCount } from '../../values/format-count.ts'

/** Returns the number of line feeds in a text, up to an index. */
export function feedsIn(text: string, end = text.length): number {
  let feeds = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) feeds++
  return feeds
}

/** Returns a line in words. */
export function lineOf(feedsBefore: number): string {
  return `on line ${formatCount(feedsBefore + 1)}`
}
