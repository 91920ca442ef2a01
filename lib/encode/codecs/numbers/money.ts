import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'

/**
 * money: eight bytes, in cents. Exact for plain decimals of at most two digits after the point, in a session
 * whose lc_monetary is known to have cents and a decimal point.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/cash.c (cash_recv, cash_in)
 */
export function moneyOf(locale: string | undefined): FieldCodec {
  if (locale === undefined || !HAS_CENTS.test(locale)) return { text: prepareValue }
  return {
    text: prepareValue,
    binary(out, value) {
      const text = stringOf(value)
      const parts = text === undefined ? null : AMOUNT.exec(text)
      if (!parts) return false
      const [, sign, whole = '', decimals = ''] = parts
      const cents = Number(whole + decimals.padEnd(2, '0'))
      const amount = sign === '-' ? -cents : cents
      out.putInt32(8)
      out.putInt32(Math.floor(amount / 0x1_0000_0000))
      out.putInt32(amount)
      return true
    },
  }
}

/** C counts as a locale with dollars: https://en.cppreference.com/w/c/locale/lconv has no values for it. */
const HAS_CENTS = /^(?:C|POSIX|C\.[\w-]+|en_US|en_US\.[\w-]+)$/

/** With so few digits every amount is exact in a double. */
const AMOUNT = /^(-?)(\d{1,13})(?:\.(\d{1,2}))?$/
