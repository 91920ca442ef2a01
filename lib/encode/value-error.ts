/** A value, or a row, that has no form the server could take. The value is in neither name nor message. */
export class ValueError extends Error {
  /** Undefined: it is the row. */
  readonly column: string | undefined

  constructor(column: string | undefined, message: string, cause?: unknown) {
    const text = column === undefined ? message : `Column ${JSON.stringify(column)}: ${message}`
    super(text, cause === undefined ? undefined : { cause })
    this.name = 'ValueError'
    this.column = column
  }
}
