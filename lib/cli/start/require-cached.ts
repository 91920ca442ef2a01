import { createRequire } from 'node:module'

/**
 * Loads a CommonJS module, and the modules beside it. The code that V8 compiled for an earlier run is used
 * again. This halves the time until the first packet. The cache that Node.js has from 22.8 on saves 12 ms
 * less.
 * @param folder where compiled code is kept; undefined: nowhere
 */
export async function requireCached(file: string, folder: string | undefined): Promise<unknown> {
  if (folder === undefined) return createRequire(file)(file)
  const { CodeCache } = await import('./code-cache.ts')
  return new CodeCache(folder).require(file)
}
