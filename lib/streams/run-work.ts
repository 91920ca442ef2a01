/**
 * Runs a stream's work, and calls `done` with its result or its error. `done` is called outside the `try`,
 * because it runs the next stream of the pipeline: an error of that stream is not this work's, and would call
 * `done` a second time.
 */
export function runWork<T>(work: () => T, done: (error: Error | null, result?: T) => void): void {
  let result: T
  try {
    result = work()
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, result)
}
