/**
 * The input cannot be read as what it is said to be. The message names the line or the element, never what
 * stands there: values do not belong in logs.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  /** The message without the option that may help, for commands that do not have it. */
  readonly fault: string

  constructor(fault: string, { hint, ...options }: ErrorOptions & { hint?: string } = {}) {
    super(hint === undefined ? fault : `${fault}; ${hint}`, options)
    this.fault = fault
  }
}

/** The format cannot be told from the first bytes, or is none of ours: the user has to do something. */
export class FormatUnknown extends SourceError {}
