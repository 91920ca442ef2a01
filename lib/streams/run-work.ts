/**
 * Does a stream's work, and says that it is done, or why not. `done` stands outside the try: it runs what comes next in
 * the pipeline, and what that throws is no fault of this work, and would call `done` a second time.
 */
export function attempt<T>(work: () => T, done: (error: Error | null, result?: T) => void): void {
  let result: T
  try {
    result = work()
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, result)
}
