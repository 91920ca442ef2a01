import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Sends a signal; false when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

export async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
  return stdout
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid!)
}

/** Kills a process and all that it has started, as when the machine is gone. */
export async function killTree(pid: number): Promise<void> {
  // stopped first, so that it starts nothing more while its children are counted
  signal(pid, 'SIGSTOP')
  for (const child of await childrenOf(pid)) signal(child, 'SIGKILL')
  signal(pid, 'SIGKILL')
  await gone(pid)
}

/** Resolves once there is no such process. */
export async function gone(pid: number): Promise<void> {
  while (signal(pid, 0 as unknown as NodeJS.Signals)) await sleep(5)
}
