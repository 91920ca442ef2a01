import { type RetryPolicy, retryDelayMs } from '../faults/retry.ts'

/** Why a question has no answer: the server is down, it returned an error, or it was silent. */
export type Found = 'down' | 'refusal' | 'nothing'

/**
 * Decides when to ask again for an unknown outcome. The pauses grow like those of a retry. A server that is
 * down, or may be about to be, is asked more often, so that it can hardly start and crash again unnoticed,
 * see `ServerWatch`. The extra questions are not counted, so that the stream does not give up earlier.
 */
export class QuestionSchedule {
  /** How many questions have been asked. */
  questions = 0
  readonly #retry: RetryPolicy
  readonly #startedAt: number
  readonly #random: () => number
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(retry: RetryPolicy, startedAt: number, random: () => number = Math.random) {
    this.#retry = retry
    this.#startedAt = startedAt
    this.#random = random
  }

  /** Notes a question without an answer, and returns how long to wait before the next, in milliseconds. */
  pauseMs(now: number, found: Found): number {
    if (now >= this.#nextAt) {
      this.questions++
      this.#nextAt = now + retryDelayMs(this.#retry, this.questions, this.#random())
    }
    return Math.min(this.#nextAt - now, closePauseMs(now - this.#startedAt, found))
  }
}

function closePauseMs(elapsedMs: number, found: Found): number {
  if (found !== 'refusal' && elapsedMs < 1000) return 10
  return found === 'down' && elapsedMs < 60_000 ? 50 : Number.POSITIVE_INFINITY
}
