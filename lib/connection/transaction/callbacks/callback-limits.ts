import { types } from 'node:util'

/**
 * A callback did something that it may not do. The message is ours and holds no values, so it can be shown.
 */
export class CallbackMisuse extends Error {
  override readonly name: string = 'CallbackMisuse'
}

/**
 * Refuses the Promise of a callback that has to be synchronous.
 * @throws CallbackMisuse
 */
export function refusePromise(option: string, answer: unknown): void {
  // most answers need no look by the slower isPromise
  if (typeof answer !== 'object' || answer === null || !('then' in answer) || !types.isPromise(answer)) return
  answer.catch(() => {}) // nothing else handles its rejection
  throw new CallbackMisuse(`\`${option}\` returned a Promise: it has to be synchronous`)
}

/** A callback took too long. Another attempt would most likely take as long. */
export class CallbackTimeout extends CallbackMisuse {
  override readonly name = 'CallbackTimeout'

  constructor(option: string, ms: number) {
    super(
      `\`${option}\` has not ended within ${ms} ms (\`callbackTimeoutMs\`): ` +
        'does it wait for a client of a pool whose clients are all in use, or for a pipe that is not read?',
    )
  }
}

/**
 * Runs the callback of an option, and waits for it no longer than `ms`. An exception of the callback becomes
 * a rejection.
 */
export async function withinCallbackTime<T>(
  option: string,
  ms: number,
  callback: () => T | PromiseLike<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CallbackTimeout(option, ms)), ms)
  })
  try {
    return await Promise.race([callback(), late])
  } finally {
    clearTimeout(timer)
  }
}
