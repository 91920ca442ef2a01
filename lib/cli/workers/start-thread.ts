import { createRequire } from 'node:module'
import type { Worker } from 'node:worker_threads'
import type { WorkerTask } from './messages.ts'

/** Of the package tsx, which the folder of the project has. */
const LOADER = 'tsx/esm/api'

/** Starts a thread that does the work of a worker. Its module is beside the bundle of the command. */
export function startThread(workerData: WorkerTask): Worker {
  // loaded when it is needed: it takes 2 ms
  const url = import.meta.url // written out, because the build replaces it
  const { Worker } = createRequire(url)('node:worker_threads') as typeof import('node:worker_threads')
  if (!url.endsWith('.ts')) return new Worker(new URL('load-worker.js', url), { workerData })
  // from source: in Node.js 20 a thread does not get the loader of its parent
  const entry = JSON.stringify(new URL('write-parts.ts', url).href)
  const code = `import(${JSON.stringify(LOADER)})
    .then(({ register }) => { register(); return import(${entry}) })
    .then(({ writeParts }) => {
      const { parentPort, workerData } = require('node:worker_threads')
      return writeParts(workerData, parentPort)
    })`
  return new Worker(code, { eval: true, workerData })
}
