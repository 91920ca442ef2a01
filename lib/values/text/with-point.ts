/**
 * Returns a number that is written with a decimal comma as one with a point: `1,5e3` as `1.5e3`. Returns
 * undefined for a text with a point, which may separate thousands, and for one with two commas.
 */
export function withPoint(text: string): string | undefined {
  const comma = text.indexOf(',')
  if (text.includes('.') || comma !== text.lastIndexOf(',')) return undefined
  return text.replace(',', '.')
}
