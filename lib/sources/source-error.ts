/**
 * The input cannot be read as what it is said to be. The message names the line or the element, never what
 * stands there: values do not belong in logs.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError'
}

/** The format can neither be told from the name nor from the first bytes: the user has to say it. */
export class FormatUnknown extends SourceError {}
