import type { SampledField } from './sample-records.ts'

/** What a text looks like to a person: `9,50` and `1.234,00 €` are numbers, `5.1.2026` is a date. */
export type CellKind = 'empty' | 'number' | 'date' | 'time' | 'boolean' | 'uuid' | 'text'

const KINDS: readonly (readonly [CellKind, RegExp])[] = [
  ['empty', /^\s*$/],
  [
    'number',
    /^[-+]?[$€£¥]?\s?(?:\d+|\d{1,3}(?:[.,' ]\d{3})+)(?:[.,]\d+)?(?:[eE][-+]?\d{1,3})?\s?(?:%|€|[A-Z]{3})?$/,
  ],
  ['number', /^[-+]?[.,]\d+$/],
  // negative, as accountants write it
  ['number', /^\([$€£¥]?(?:\d+|\d{1,3}(?:[.,]\d{3})+)(?:[.,]\d+)?\)$/],
  ['date', /^\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?(?:Z|[-+]\d\d(?::?\d\d)?))?)?$/],
  ['date', /^\d{1,4}[./]\d{1,2}[./]\d{1,4}\.?(?: \d\d?:\d\d(?::\d\d)?(?: ?[AP]M)?)?$/i],
  ['time', /^\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AP]M)?$/i],
  ['boolean', /^(?:true|false|yes|no)$/i],
  ['uuid', /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i],
]

export function kindOfCell(text: string): CellKind {
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'text'
}

/**
 * Returns from 0 to 1 how much a field looks as if its record were split correctly. A number or a date does.
 * Text does, unless it has another delimiter, a space at its edge, or one half of a pair of brackets or
 * quotes.
 */
export function cellFit({ text, quoted }: SampledField): number {
  if (quoted) return 0.9
  const kind = kindOfCell(text)
  if (kind === 'empty') return 0.8
  if (kind !== 'text') return 1
  let fit = 0.8
  if (text !== text.trim()) fit *= 0.5
  if (/[|\t]|[,;](?! )/.test(text)) fit *= 0.1
  else if (/[,;]/.test(text)) fit *= 0.75 // as between words
  if (!isPaired(text)) fit *= 0.2
  if (/^'.*'$/.test(text)) fit *= 0.6
  return fit
}

function isPaired(text: string): boolean {
  const count = (character: string) => text.split(character).length
  return count('(') === count(')') && count('[') === count(']') && count('"') % 2 === 1
}
