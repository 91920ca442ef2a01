import { parentPort, workerData } from 'node:worker_threads'
import { cacheFolder } from './start/cache-folder.ts'
import { requireCached } from './start/require-cached.ts'
import { useNoHttp } from './start/use-no-http.ts'

/** The module that has `writeParts`, and its piece. The build sets it. */
declare const WORKER_MODULE: string

// the entry of a thread of `pg-batch load --workers`
useNoHttp()
requireCached(WORKER_MODULE, import.meta.url, cacheFolder(process.env)).then(loaded => {
  const { writeParts } = loaded as typeof import('./workers/write-parts.ts')
  return writeParts(workerData, parentPort!)
})
