import { expect } from 'chai'
import type { ServerError } from '../../../../lib/connection/server-error.ts'
import { refusedValueText } from '../../../../lib/write/faults/refused-value.ts'

const text = (code: string, message: string): string | undefined =>
  refusedValueText({ code, message } as ServerError, 'c')

const TEXTS: readonly [code: string, message: string, text: string | undefined][] = [
  ['22P02', 'invalid input syntax for type boolean: "secret"', 'not a valid boolean for "c" (22P02)'],
  ['22P02', 'invalid input syntax for type json', 'not a valid json for "c" (22P02)'],
  ['22P02', 'invalid input value for enum mood: "secret"', 'not a valid mood for "c" (22P02)'],
  ['22P02', 'malformed array literal: "secret"', 'not a valid array for "c" (22P02)'],
  ['22P02', 'ungültige Eingabesyntax für Typ boolean: »secret«', 'not a valid value for "c" (22P02)'],
  ['22007', 'invalid input syntax for type date: "secret"', 'not a valid date for "c" (22007)'],
  ['22008', 'date/time field value out of range: "secret"', 'out of range for "c" (22008)'],
  ['22008', 'timestamp out of range: "secret"', 'out of range for "c" of type timestamp (22008)'],
  ['22003', 'integer out of range', 'out of range for "c" of type integer (22003)'],
  [
    '22003',
    'value "secret" is out of range for type integer" is out of range for type bigint',
    'out of range for "c" of type bigint (22003)',
  ],
  [
    '22003',
    '"1e999" is out of range for type double precision',
    'out of range for "c" of type double precision (22003)',
  ],
  ['22003', 'numeric field overflow', 'out of range for "c" (22003)'],
  [
    '22001',
    'value too long for type character varying(3)',
    'too long for "c" of type character varying(3) (22001)',
  ],
  [
    '22021',
    'invalid byte sequence for encoding "UTF8": 0x00',
    'a text with U+0000, which no type holds, for "c" (22021)',
  ],
  ['22021', 'invalid byte sequence for encoding "UTF8": 0xff', undefined],
]

describe('the text of a refused value', () => {
  for (const [code, message, expected] of TEXTS) {
    it(`is ${expected ?? 'left to the name of the condition'}, for: ${message}`, () => {
      expect(text(code, message)).to.equal(expected)
    })
  }
})
