import type { Bench } from './support/bench.ts'

/** All benches by name, in the order of a full run; each is loaded when it is its turn. */
export const BENCHES: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  'what-batching-buys': () => import('./what-batching-buys/bench.ts'),
  encode: () => import('./encode/bench.ts'),
  transform: () => import('./transform/bench.ts'),
  'write-grid': () => import('./write-grid/bench.ts'),
}
