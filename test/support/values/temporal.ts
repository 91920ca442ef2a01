import fc from 'fast-check'
import { digits, pad } from './texts.ts'

const dateParts = fc.tuple(
  fc.oneof(
    fc.integer({ min: 0, max: 9999 }),
    fc.integer({ min: 1890, max: 2040 }),
    fc.constantFrom(4713, 4714, 4715, 1, 4, 100, 400, 2000),
  ),
  fc.integer({ min: 0, max: 13 }),
  fc.integer({ min: 0, max: 32 }),
)
const dateText = fc.oneof(
  dateParts.map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`),
  fc
    .tuple(
      fc.integer({ min: 1, max: 9999 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
    )
    .map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`),
)
const timeText = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 23 }) },
      { weight: 1, arbitrary: fc.integer({ min: 24, max: 25 }) },
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 59 }) },
      { weight: 1, arbitrary: fc.constant(60) },
    ),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: 0, max: 59 }).map(s => `:${pad(s, 2)}`),
      fc.constant(':60'),
      fc.tuple(fc.integer({ min: 0, max: 59 }), digits(0, 8)).map(([s, f]) => `:${pad(s, 2)}.${f}`),
    ),
  )
  .map(([h, m, s]) => `${pad(h, 2)}:${pad(m, 2)}${s}`)
const offsetText = fc.oneof(
  fc.constantFrom(
    '',
    'Z',
    'z',
    '+00',
    '-00',
    '+05:30',
    '-03:30',
    '+15:59',
    '+16',
    '+15:59:59',
    '-15:59:59',
    '+0530',
    ' UTC',
    ' America/New_York',
    '+1',
    '-08:00:01',
    '+01:60',
  ),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 17 }), fc.integer({ min: 0, max: 61 }))
    .map(([s, h, m]) => `${s}${pad(h, 2)}:${pad(m, 2)}`),
)

/**
 * The whole range of Date, its ends, the years where offsets have seconds, and the hours that clocks skip.
 */
export const dates: fc.Arbitrary<Date> = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.date({ min: new Date('1850-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
  fc.date({ min: new Date('-005000-01-01'), max: new Date('0200-01-01'), noInvalidDate: true }),
  fc
    .constantFrom(
      8.64e15,
      -8.64e15,
      0,
      -1,
      946684800000,
      -210866803200000,
      -210866803200001,
      -210866716800000,
      -62135596800000,
      -62167219200000,
      -62167219200001,
      94694400000,
      94694399999,
      1710054000000,
      1710053999999,
      1730610000000,
      1730613600000,
      -2717640000000,
      253402300800000,
      9223372036854,
    )
    .map(ms => new Date(ms)),
)

const specialDates = fc.constantFrom(
  'infinity',
  '-infinity',
  'Infinity',
  '+infinity',
  'epoch',
  'today',
  'January 8, 1999',
  '1999-Jan-08',
  '19990108',
  '990108',
  '1999.008',
  'J2451187',
  'January 8, 99 BC',
  '2000-02-29',
  '1900-02-29',
  '2004-02-29 BC',
  '0001-02-29 BC',
  '0005-02-29 BC',
  '0001-01-01 BC',
  '0001-12-31 BC',
  '0000-01-01',
  '4713-01-01 BC',
  '4714-11-24 BC',
  '4714-11-23 BC',
  '4714-12-31 BC',
  '5874897-12-31',
  '10000-01-01',
  '2000-1-1',
  '2000-01-01T',
  '2000-01-01 ',
  ' 2000-01-01',
  '2000-01-01 BC',
  '2000-01-01BC',
  '2000-01-01 AD',
  '2000-01-01 bc',
  '2000-01-01T00',
  '2000-01-01T00:00',
  '2000-01-01t00:00',
  '2000-01-01 00:00:00 BC',
  '2000-01-01 00:00:00Z BC',
  '2000-01-01 00:00:00+01 BC',
  '2000-01-01T24:00:00',
  '1997-02-10 17:32:01-07:00',
  '20000101T000000',
  '2000-01-01 12:00 PM',
  '4714-11-24 00:00:00+01 BC',
  '4714-11-24 00:00:00-01 BC',
  '4714-11-25 00:00:00+15:59 BC',
  '0099-01-01',
  '0001-01-01 00:00:00+15:59',
  '2000-01-01  00:00',
  '2000-01-01 00:00:00.1234567',
  '2000-01-01 23:59:59.999999',
  '2000-01-01T00:00:00.Z',
  '2000-01-01T00:00:00,5',
  '9999-12-31 23:59:59.999999-15:59',
  '12:00',
)

export const dateLikes: fc.Arbitrary<unknown> = fc.oneof(
  dates,
  dates,
  dateText,
  specialDates,
  fc.date({ noInvalidDate: true }).map(d => d.toISOString()),
  fc.date({ noInvalidDate: true }).map(d => d.getTime()),
  fc
    .tuple(dateText, fc.constantFrom(' ', 'T'), timeText, offsetText, fc.constantFrom('', '', '', ' BC'))
    .map(parts => parts.join('')),
  fc.tuple(dateText, fc.constantFrom('', ' BC', 'BC')).map(parts => parts.join('')),
)

export const times: fc.Arbitrary<unknown> = fc.oneof(
  timeText,
  fc.tuple(timeText, offsetText).map(parts => parts.join('')),
  dates,
  specialDates,
  fc.constantFrom(
    '04:05',
    '040506',
    '4:05:06 AM',
    '04:05 PM',
    '23:59:59.999999',
    '23:59:60',
    '24:00:00',
    '24:00:00.01',
    '00:00',
    'allballs',
    '04:05:06.1234567',
    '2003-04-12 04:05:06 America/New_York',
    '04:05:06.',
    '04:05:06-08:00',
    '04:05:06+15:59:59',
  ),
)

const intervalUnit = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: -40, max: 40 }).map(String),
      fc.integer({ min: 0, max: 9999999 }).map(String),
      fc.double({ min: -50, max: 50, noNaN: true }).map(n => n.toFixed(7)),
      fc.constantFrom('+3', '-0', '-0.5', '1.5'),
    ),
    fc.constantFrom(
      'year',
      'years',
      'mon',
      'mons',
      'month',
      'months',
      'week',
      'day',
      'days',
      'hour',
      'hours',
      'minute',
      'minutes',
      'min',
      'second',
      'seconds',
      'ms',
      'century',
      '',
    ),
  )
  .map(([n, unit]) => `${n} ${unit}`.trim())

/** As postgres-interval, which `pg` reads intervals into. */
const intervalObject = fc
  .record(
    {
      years: fc.integer({ min: -50, max: 50 }),
      days: fc.integer({ min: -50, max: 50 }),
      seconds: fc.integer({ min: -59, max: 59 }),
    },
    { requiredKeys: [] },
  )
  .map(fields => ({
    ...fields,
    toPostgres: () =>
      Object.entries(fields)
        .map(([unit, count]) => `${count} ${unit}`)
        .join(' ') || '0',
  }))

export const intervals: fc.Arbitrary<unknown> = fc.oneof(
  fc.array(intervalUnit, { minLength: 1, maxLength: 4 }).map(parts => parts.join(' ')),
  fc
    .tuple(fc.array(intervalUnit, { maxLength: 3 }), fc.constantFrom('', '-', '+'), timeText)
    .map(([units, sign, time]) => [...units, sign + time].join(' ')),
  intervalObject,
  fc.constantFrom(
    'P1Y2M3DT4H5M6S',
    'PT0S',
    '1 year ago',
    '@ 1 minute',
    '1-2',
    '-1-2 +3 -4:05:06',
    '1:2',
    '5',
    '-5',
    '04:05:06',
    '-04:05:06',
    '1 day 2 days',
    '1 day  2 hours',
    '1 day ',
    ' 1 day',
    '1 YEAR',
    '100:00:00',
    '999999:59:59.999999',
    '-1 day 2 hours',
    '-1 day +2 hours',
    '1 day -2 hours',
    '-1 day -02:03:04',
    '-1 year 04:05:06',
    '0',
    '',
    'infinity',
    '-infinity',
    '1 mon 1 month',
    '6.789 seconds',
    '-6.789 seconds',
    '-0.5 seconds 3 days',
    '1 day 04:05',
    '178000000 years',
    '999999 years',
    '999999 hours -999999 minutes',
    '3 days 04:05:06.9999999',
  ),
)
