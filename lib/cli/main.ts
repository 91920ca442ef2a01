#!/usr/bin/env node
import { cacheFolder } from './start/cache-folder.ts'
import { requireCached } from './start/require-cached.ts'
import { tryPrint } from './start/try-print.ts'
import { useNoHttp } from './start/use-no-http.ts'

/** The module that has `run`, and its piece. The build sets it. */
declare const FIRST_MODULE: string

/** What `--version` and `--help` print, by these words. The build sets it. */
declare const ANSWERS: readonly (readonly [word: string, text: string])[]

/** The status of a process that has nothing left to wait for, and has not finished. */
const UNFINISHED = 13

const [word = '', ...others] = process.argv.slice(2)
const answer = others.length === 0 ? new Map(ANSWERS).get(word) : undefined
// `run` prints it, too, and reports what keeps it from being printed
if (answer === undefined || !tryPrint(answer)) start()

function start(): void {
  useNoHttp()
  let isFinished = false
  // not set at the start: commander takes a status that is set for its own
  process.once('exit', status => {
    if (!isFinished && status === 0) process.exitCode = UNFINISHED
  })
  requireCached(FIRST_MODULE, import.meta.url, cacheFolder(process.env)).then(async loaded => {
    const { run } = loaded as typeof import('./run.ts')
    process.exitCode = await run(process.argv.slice(2))
    isFinished = true
  })
}
