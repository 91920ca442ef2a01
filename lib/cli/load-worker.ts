import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { cacheFolder } from './start/cache-folder.ts'
import { requireCached } from './start/require-cached.ts'
import { useNoHttp } from './start/use-no-http.ts'

/** The file beside this one that has `writeParts`. The build sets it. */
declare const WORKER_PIECE: string

// the entry of a thread of `pg-batch load --workers`
useNoHttp()
const piece = createRequire(import.meta.url).resolve(`./${WORKER_PIECE}`)
requireCached(piece, cacheFolder(process.env)).then(loaded => {
  const { writeParts } = loaded as typeof import('./workers/write-parts.ts')
  return writeParts(workerData, parentPort!)
})
