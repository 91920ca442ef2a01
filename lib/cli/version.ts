import { createRequire } from 'node:module'

/** The version of the package. The path is the same from lib/cli and from the bundle in dist/cli. */
export const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
