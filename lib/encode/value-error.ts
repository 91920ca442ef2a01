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
