import { readFileSync } from 'node:fs'

/** `getconf CLK_TCK`, which is 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100

/** CPU seconds, user's and kernel's, of a process; undefined where /proc does not have it. */
export interface ProcessCpu {
  /** The program's name, at most 15 letters. */
  readonly program: string
  readonly own: number
  /** CPU seconds of its children that have ended. */
  readonly children: number
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function processCpu(pid: number | 'self'): ProcessCpu | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // the second field, the program's name in brackets, may hold any character: read on from the third
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const seconds = (field: number): number => Number(fields[field - 3]) / TICKS_PER_SECOND
  const program = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
  return { program, own: seconds(14) + seconds(15), children: seconds(16) + seconds(17) }
}

/** CPU seconds of this process so far and, on Linux, of its children that have ended. */
export function loadCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6 + (processCpu('self')?.children ?? 0)
}
