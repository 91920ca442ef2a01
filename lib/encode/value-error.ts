/** A value that has no form the server could take. The value is in neither name nor message. */
export class ValueError extends Error {
  readonly column: string

  constructor(column: string, message: string, cause?: unknown) {
    super(`Column ${JSON.stringify(column)}: ${message}`, cause === undefined ? undefined : { cause })
    this.name = 'ValueError'
    this.column = column
  }
}
