/** The server did not answer in time; its connection was ended. */
export class DeadlineError extends Error {
  override readonly name: string = 'DeadlineError'

  constructor(ms: number, message = `The server did not answer within ${ms} ms`) {
    super(message)
  }
}

/** All clients of the pool were in use for too long. */
export class NoFreeClient extends DeadlineError {
  override readonly name = 'NoFreeClient'

  /** @param max how many clients the pool makes at most */
  constructor(ms: number, max: number) {
    const all = max === 1 ? 'the only one it has' : `all ${max} that it has`
    const what = `The pool gave no client within ${ms} ms: ${all} (\`max\`) stayed in use`
    super(ms, `${what}. Raise \`max\`, lower \`concurrency\`, or release clients that your program holds`)
  }
}
