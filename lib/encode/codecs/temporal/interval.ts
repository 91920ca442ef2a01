import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'

/**
 * interval: microseconds, days and months. Exact for whole numbers of named units, each unit once, a fraction
 * only for seconds, and `[-]HH:MM:SS[.f]`: '1 year 2 mons -3 days 04:05:06.5'. The interval objects of `pg`
 * convert to such texts. All else, above all bare numbers, is left to the server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/timestamp.c (interval_recv)
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/datetime.c (DecodeInterval)
 */
export const interval: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = typeof value === 'object' ? prepareValue(value) : value
    const span = typeof text === 'string' ? readSpan(text) : undefined
    if (!span) return false
    out.putInt32(16)
    out.putInt32(Math.floor(span.micros / 0x1_0000_0000))
    out.putInt32(span.micros)
    out.putInt32(span.days)
    out.putInt32(span.months)
    return true
  },
}

interface Span {
  micros: number
  days: number
  months: number
}

/** With so few digits every sum fits its field, and is exact in a double. */
const UNIT = /^([-+]?\d{1,6})(\.\d{1,6})? (year|mon|month|day|hour|minute|second)s?(?: |$)/
const CLOCK = /^([-+]?)(\d{1,6}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)(?: |$)/

function readSpan(text: string): Span | undefined {
  if (text.endsWith(' ')) return undefined
  const span = { micros: 0, days: 0, months: 0 }
  const seen = new Set<string>()
  let signs = 0
  let rest = text
  while (rest !== '') {
    const unit = UNIT.exec(rest)
    const clock = unit ? null : CLOCK.exec(rest)
    if (unit) {
      const [, whole = '', fraction = '', name = ''] = unit
      const canonical = name === 'month' ? 'mon' : name
      if (seen.has(canonical) || (fraction !== '' && name !== 'second')) return undefined
      seen.add(canonical)
      if (/^[-+]/.test(whole)) signs++
      add(span, canonical, whole, fraction)
    } else if (clock) {
      const [, sign = '', hours = '', minutes = '', seconds = ''] = clock
      if (seen.has('hour') || seen.has('minute') || seen.has('second')) return undefined
      seen.add('hour').add('minute').add('second')
      if (sign) signs++
      const size =
        (Number(hours) * 3600 + Number(minutes) * 60) * 1_000_000 + Math.round(Number(seconds) * 1_000_000)
      span.micros += sign === '-' ? -size : size
    } else {
      return undefined
    }
    rest = rest.slice((unit ?? clock)![0].length)
  }
  // with IntervalStyle sql_standard a leading minus may apply to all fields:
  // https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-INTERVAL-INPUT
  const isPlain = seen.size > 0 && !(text.startsWith('-') && signs === 1 && seen.size > 1)
  return isPlain ? span : undefined
}

function add(span: Span, unit: string, whole: string, fraction: string): void {
  const count = Number(whole)
  switch (unit) {
    case 'year':
      span.months += count * 12
      break
    case 'mon':
      span.months += count
      break
    case 'day':
      span.days += count
      break
    case 'hour':
      span.micros += count * 3_600_000_000
      break
    case 'minute':
      span.micros += count * 60_000_000
      break
    default:
      span.micros += Math.round(Number(whole + fraction) * 1_000_000)
  }
}
