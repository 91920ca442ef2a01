/**
 * Returns the milliseconds of CPU that this process needs for the work. Unlike its duration, they do not
 * depend on what else runs on the machine, so that a bound shows quadratic work, and nothing but that.
 */
export function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
