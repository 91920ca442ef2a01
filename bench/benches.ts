import type { Bench } from './support/bench.ts'

/** All benchmarks by name, in the order of a full run. */
export const BENCHES: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  peers: () => import('./peers/bench.ts'),
  upsert: () => import('./upsert/bench.ts'),
  latency: () => import('./latency/bench.ts'),
  'row-writer': () => import('./row-writer/bench.ts'),
  'round-trips': () => import('./round-trips/bench.ts'),
  memory: () => import('./memory/bench.ts'),
  'server-cpu': () => import('./server-cpu/bench.ts'),
  kafka: () => import('./kafka/bench.ts'),
  'what-batching-buys': () => import('./what-batching-buys/bench.ts'),
  encode: () => import('./encode/bench.ts'),
  transform: () => import('./transform/bench.ts'),
  'write-grid': () => import('./write-grid/bench.ts'),
  load: () => import('./load/bench.ts'),
  workers: () => import('./workers/bench.ts'),
}
