import { NO_VALUE } from '../../../values/text/no-value.ts'
import { type CellKind, kindOfCell } from './cell-fit.ts'
import type { SampledRecord } from './sample-records.ts'

/** Records after the first one that are compared with it. */
const LOOKED_AT = 100

/** A date or a uuid above others is never a name. A number may be one: `year,2019,2020`. */
const NEVER_NAMES: readonly CellKind[] = ['date', 'uuid']

/**
 * Detects whether the first record is a header or data like the others. It is data if it has a date or a uuid
 * where all others have one, or if it has a number where all have numbers, and no text in place of one.
 */
export function judgeHeader([first, ...others]: readonly SampledRecord[]): 'header' | 'data' | 'unknown' {
  if (!first) return 'unknown'
  const below = others.filter(({ fields }) => fields.length === first.fields.length).slice(0, LOOKED_AT)
  const like: CellKind[] = []
  let isUnlike = false
  for (const [index, { text }] of first.fields.entries()) {
    const kinds = new Set(below.map(({ fields }) => kindOfValue(fields[index]!.text)))
    kinds.delete('empty')
    const [kind] = kinds
    const own = kindOfValue(text)
    if (kinds.size !== 1 || kind === undefined || kind === 'text' || own === 'empty') continue
    if (own === kind) like.push(kind)
    else isUnlike = true
  }
  if (like.some(kind => NEVER_NAMES.includes(kind))) return 'data'
  if (isUnlike) return 'header'
  return like.length > 0 && !areYears(first) ? 'data' : 'unknown'
}

/**
 * Returns true for the only record of a file if it has a number, a date or a uuid, and is not a header of
 * years.
 */
export function isOnlyData(records: readonly SampledRecord[]): boolean {
  const [first, ...others] = records
  if (!first || others.length > 0) return false
  const texts = first.fields.map(({ text }) => text.trim()).filter(text => !YEAR.test(text))
  return texts.some(text => ['number', ...NEVER_NAMES].includes(kindOfCell(text)))
}

/** What stands for no value may be in a column of any kind. */
function kindOfValue(text: string): CellKind {
  return NO_VALUE.test(text.trim()) ? 'empty' : kindOfCell(text.trim())
}

const YEAR = /^(?:1[5-9]|2[01])\d\d$/

/** Returns true for consecutive years, which are names of columns: `country,2019,2020,2021`. */
function areYears({ fields }: SampledRecord): boolean {
  const numbers = fields.map(({ text }) => text).filter(text => YEAR.test(text))
  const steps = numbers.slice(1).map((year, index) => Math.abs(Number(year) - Number(numbers[index])))
  return steps.length > 0 && steps.every(step => step === steps[0] && step > 0)
}
