import { kindOfCell } from './cell-fit.ts'
import type { SampledRecord } from './sample-records.ts'

/** Records below the first one that are looked at. */
const LOOKED_AT = 100

/**
 * Judges whether the first record names the columns or is data like those below: data, if it has a number where all
 * others have numbers, a date where they have dates, and nowhere a text in place of one.
 */
export function judgeHeader([first, ...others]: readonly SampledRecord[]): 'header' | 'data' | 'unknown' {
  if (!first) return 'unknown'
  const below = others.filter(({ fields }) => fields.length === first.fields.length).slice(0, LOOKED_AT)
  let isLike = 0
  for (const [index, { text }] of first.fields.entries()) {
    const kinds = new Set(below.map(({ fields }) => kindOfCell(fields[index]!.text)))
    kinds.delete('empty')
    const [kind] = kinds
    const own = kindOfCell(text)
    if (kinds.size !== 1 || kind === undefined || kind === 'text' || own === 'empty') continue
    if (own !== kind) return 'header'
    isLike++
  }
  return isLike > 0 && !areYears(first) ? 'data' : 'unknown'
}

/** Years one after the other are names of columns: `country,2019,2020,2021`. */
function areYears({ fields }: SampledRecord): boolean {
  const numbers = fields.map(({ text }) => text).filter(text => /^(?:1[5-9]|2[01])\d\d$/.test(text))
  const steps = numbers.slice(1).map((year, index) => Math.abs(Number(year) - Number(numbers[index])))
  return steps.length > 0 && steps.every(step => step === steps[0] && step > 0)
}
