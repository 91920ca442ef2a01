/**
 * The longest time of a timer, 24 days. Node.js fires a longer one after 1 ms.
 * @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
 */
export const MAX_TIMER_MS = 2_147_483_647
