/**
 * The input cannot be read in its format. The message names the line or the element, and never a value:
 * values do not belong in logs.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  /** The message without the advice, for commands that do not have the option it names. */
  readonly fault: string
  /** Shows values. It may be printed on a terminal, and nowhere else. */
  readonly example: string | undefined

  constructor(
    fault: string,
    { hint, example, ...options }: ErrorOptions & { hint?: string; example?: string | undefined } = {},
  ) {
    super(hint === undefined ? fault : `${fault}; ${hint}`, options)
    this.fault = fault
    this.example = example
  }
}

/** One record cannot be read. A reader that keeps malformed records would continue with the next. */
export class MalformedRecord extends SourceError {}

/** There is nothing in the input, not even a header. */
export class EmptyInput extends SourceError {
  constructor(name: string, fault = 'there is nothing in it') {
    super(`${name}: ${fault}`)
  }
}

/** The format cannot be recognised, or is not supported: the user has to decide. */
export class FormatUnknown extends SourceError {}
