import { readFileSync } from 'node:fs'

/**
 * The most bytes of this process that were ever resident. By Linux's `VmHWM`, since `resourceUsage().maxRSS`
 * there begins with what the parent had when it started this process,
 * https://man7.org/linux/man-pages/man2/getrusage.2.html
 */
export function peakResidentBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (kib === undefined) throw new Error('/proc/self/status has no VmHWM')
  return Number(kib) * 1024
}
