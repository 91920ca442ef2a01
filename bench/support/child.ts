import { type ChildProcess, fork } from 'node:child_process'
import { compile } from './compiled.ts'

const MAIN = new URL('./child-main.ts', import.meta.url)

/** What the child gets: a module, and the argument of its `measure`. */
export interface ChildTask {
  readonly module: string
  readonly argument: unknown
}

/** A module that can be measured in a process of its own. Argument and result travel as JSON. */
export interface MeasuredModule {
  measure(argument: never): Promise<unknown>
}

/**
 * Calls `measure(argument)` of a module in a new process, so that a run starts without another run's heap and
 * compiled code.
 */
export function measureInChild<Module extends MeasuredModule>(
  module: URL,
  argument: Parameters<Module['measure']>[0],
): Promise<Awaited<ReturnType<Module['measure']>>> {
  return measureBy<Module>(fork(MAIN), module, argument) // with tsx, by the parent's own arguments
}

/** The same, compiled to JavaScript first, without `tsx`. */
export async function measureCompiledInChild<Module extends MeasuredModule>(
  module: URL,
  argument: Parameters<Module['measure']>[0],
): Promise<Awaited<ReturnType<Module['measure']>>> {
  const compiled = await compile([MAIN, module])
  try {
    const child = fork(compiled.urlOf(MAIN), { execArgv: [] })
    return await measureBy<Module>(child, compiled.urlOf(module), argument)
  } finally {
    await compiled.remove()
  }
}

function measureBy<Module extends MeasuredModule>(
  child: ChildProcess,
  module: URL,
  argument: Parameters<Module['measure']>[0],
): Promise<Awaited<ReturnType<Module['measure']>>> {
  return new Promise((resolve, reject) => {
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
