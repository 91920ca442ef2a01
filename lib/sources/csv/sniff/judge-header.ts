import { kindOfCell } from './cell-fit.ts'
import type { SampledRecord } from './sample-records.ts'

/** Records after the first one that are compared with it. */
const LOOKED_AT = 100

/**
 * Detects whether the first record is a header or data like the others. It is data if it has a number where
 * all others have numbers, or a date where all have dates, and no text in place of one.
 */
export function judgeHeader([first, ...others]: readonly SampledRecord[]): 'header' | 'data' | 'unknown' {
  if (!first) return 'unknown'
  const below = others.filter(({ fields }) => fields.length === first.fields.length).slice(0, LOOKED_AT)
  let isLike = 0
  for (const [index, { text }] of first.fields.entries()) {
    const kinds = new Set(below.map(({ fields }) => kindOfCell(fields[index]!.text.trim())))
    kinds.delete('empty')
    const [kind] = kinds
    const own = kindOfCell(text.trim())
    if (kinds.size !== 1 || kind === undefined || kind === 'text' || own === 'empty') continue
    if (own !== kind) return 'header'
    isLike++
  }
  return isLike > 0 && !areYears(first) ? 'data' : 'unknown'
}

/** Returns true for consecutive years, which are names of columns: `country,2019,2020,2021`. */
function areYears({ fields }: SampledRecord): boolean {
  const numbers = fields.map(({ text }) => text).filter(text => /^(?:1[5-9]|2[01])\d\d$/.test(text))
  const steps = numbers.slice(1).map((year, index) => Math.abs(Number(year) - Number(numbers[index])))
  return steps.length > 0 && steps.every(step => step === steps[0] && step > 0)
}
