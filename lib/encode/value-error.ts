import { errorOrigin } from '../values/error-origin.ts'
import { PromiseError } from './codecs/promise-error.ts'
import { TooLongError } from './wire/byte-buffer.ts'

/** A value or a row that cannot be encoded. The message does not show the value. */
export class ValueError extends Error {
  /** Undefined where the error is about the whole row. */
  readonly column: string | undefined

  constructor(column: string | undefined, message: string, cause?: unknown) {
    const text = column === undefined ? message : `Column ${JSON.stringify(column)}: ${message}`
    super(text, cause === undefined ? undefined : { cause })
    this.name = 'ValueError'
    this.column = column
  }
}

/**
 * Returns why a value could not be encoded, for messages. What a method of the value or JSON.stringify threw
 * may show the value, so only its class is named: `encoding the value threw TypeError; see error.cause`.
 */
export function whyNotEncoded(error: unknown): string {
  if (error instanceof TooLongError || error instanceof PromiseError) return error.message
  return `encoding the value threw ${errorOrigin(error)}; see error.cause`
}
