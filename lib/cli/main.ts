#!/usr/bin/env node
import { run } from './run.ts'

// Node.js 21 and later have this global. Without it pg reads the global Response, which makes Node.js 20 load
// an HTTP client.
if (!('navigator' in globalThis)) {
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: `Node.js/${process.versions.node}` } })
}

process.exitCode = await run(process.argv.slice(2))
