import { readFileSync } from 'node:fs'

/**
 * The most bytes of this process that were ever resident. By Linux's `VmHWM`, since `resourceUsage().maxRSS`
 * there begins with what the parent had when it started this process,
 * https://man7.org/linux/man-pages/man2/getrusage.2.html
 */
export function peakResidentBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const bytes = peakBytesOf('self')
  if (bytes === undefined) throw new Error('/proc/self/status has no VmHWM')
  return bytes
}

/**
 * The same of any process; undefined where /proc does not have it, as after the process has ended.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
export function peakBytesOf(pid: number | 'self'): number | undefined {
  try {
    const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  } catch {
    return undefined
  }
}
