import { createRequire } from 'node:module'

/** The package's version. It is read from here, since lib/cli and the bundle in dist/cli are equally deep. */
export const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
