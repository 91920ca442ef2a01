/** The server did not answer in time; its connection was ended. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'

  constructor(ms: number) {
    super(`The server did not answer within ${ms} ms`)
  }
}
