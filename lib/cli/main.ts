#!/usr/bin/env node
import { run } from './run.ts'

// What later versions have. Without it pg looks at the global Response, for which Node.js 20 loads a whole HTTP client.
if (!('navigator' in globalThis)) {
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: `Node.js/${process.versions.node}` } })
}

process.exitCode = await run(process.argv.slice(2))
