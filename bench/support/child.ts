import { fork } from 'node:child_process'

/** What the child is told: a module, and the argument for its `measure`. */
export interface ChildTask {
  readonly module: string
  readonly argument: unknown
}

/** A module that can be measured in a process of its own. Both sides travel as JSON. */
export interface MeasuredModule {
  measure(argument: never): Promise<unknown>
}

/**
 * Calls `measure(argument)` of a module in a new process, so that neither one run's heap nor its compiled code weighs
 * on the next.
 */
export function measureInChild<Module extends MeasuredModule>(
  module: URL,
  argument: Parameters<Module['measure']>[0],
): Promise<Awaited<ReturnType<Module['measure']>>> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./child-main.ts', import.meta.url)) // with tsx, by the parent's own arguments
    let result: Awaited<ReturnType<Module['measure']>> | undefined
    child.once('message', message => {
      result = (message as { result: typeof result }).result
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result)
      else
        reject(
          new Error(
            `A measured run failed (${signal ?? `status ${code}`}): ${module.pathname.split('/').slice(-2).join('/')}`,
          ),
        )
    })
    child.send({ module: module.href, argument } satisfies ChildTask)
  })
}
