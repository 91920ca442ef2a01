import { mixSeed, seededRandom } from '../../support/random.ts'
import type { FaultKind } from './fault-kind.ts'
import { FAULT_KINDS } from './kinds.ts'

export type LoadMethod = 'copy-binary' | 'copy-text' | 'insert' | 'upsert' | 'changes' | 'increments'

/** How a load is written. */
export interface LoadShape {
  readonly method: LoadMethod
  readonly checkpoint: boolean
  readonly concurrency: 1 | 3
  readonly badRows: boolean
  /** A pool of the stream's own, instead of one that is handed to it. */
  readonly ownPool: boolean
  /**
   * Attempts after the first: few, so that pipelines fail and sources start again, the default's ten, or any
   * number.
   */
  readonly retries: 'few' | 'usual' | 'many'
  /** Rows come a few at a time, thousands at once, or all at once. */
  readonly pace: 'trickle' | 'bursts' | 'flood'
  /** Rows bring new keys, and later wider values. */
  readonly evolves: boolean
  /** All rows come in one transaction: as they are, or in place of the old ones. */
  readonly whole?: 'single' | 'replace'
}

/** One load, and the faults that hit it. */
export interface FaultCase {
  readonly number: number
  readonly seed: number
  readonly kind: FaultKind
  readonly shape: LoadShape
}

const METHODS: readonly LoadMethod[] = [
  'copy-binary',
  'copy-text',
  'insert',
  'upsert',
  'changes',
  'increments',
]

/** The methods that need a key. */
export function isUpsert(method: LoadMethod): boolean {
  return method === 'upsert' || method === 'changes' || method === 'increments'
}

/** Methods × checkpoint or not × concurrency 1 or 3. */
const GRID = METHODS.length * 4

/** Kinds where everything can go wrong meet every way of writing in each round; the others take turns. */
const EVERY_WAY = ['cut at any byte', 'COMMIT does not arrive', 'answer to COMMIT is lost']

/** In how many ways of writing each round meets the other kinds. */
const USUAL_WAYS = 2

/**
 * Makes cases until they plan at least this many faults; `only` keeps the kinds whose names contain it.
 * @param lacks what the machine cannot break: those kinds are left out
 */
export function makeCases(
  faults: number,
  seed: number,
  only = '',
  lacks: readonly FaultKind['by'][] = [],
): FaultCase[] {
  const kinds = FAULT_KINDS.filter(kind => kind.name.includes(only) && !lacks.includes(kind.by))
  if (kinds.length === 0) throw new Error(`No kind of fault is named like ${JSON.stringify(only)}`)
  const cases: FaultCase[] = []
  let planned = 0
  for (let round = 0; planned < faults; round++) {
    // way by way, so that few faults are some of every kind
    for (let way = 0; way < GRID; way++) {
      for (const [place, kind] of kinds.entries()) {
        const everyWay = EVERY_WAY.includes(kind.name)
        if (planned >= faults || (way >= USUAL_WAYS && !everyWay)) continue
        const number = cases.length + 1
        const at = everyWay ? way : seed + round * 9 + place * 3 + way * 7
        const caseSeed = mixSeed(seed, number)
        cases.push({ number, seed: caseSeed, kind, shape: shapeOf(at, caseSeed, kind) })
        planned += kind.faultsPerCase
      }
    }
  }
  return cases
}

/** @param at place in the grid of methods × checkpoint × concurrency; any integer */
function shapeOf(at: number, seed: number, { needs = {} }: FaultKind): LoadShape {
  const random = seededRandom(seed)
  const place = ((at % GRID) + GRID) % GRID
  const checkpoint = needs.checkpoint ?? Math.floor(place / METHODS.length) % 2 === 0
  // in turn, and not by chance, so that few cases have both
  const whole = needs.whole?.[place % needs.whole.length]
  // a replacement compares rows by itself
  const methods = whole === 'replace' ? METHODS.filter(method => !isUpsert(method)) : METHODS
  return {
    ...(whole ? { whole } : {}),
    method: needs.method ?? methods[Math.floor(place / (needs.whole?.length ?? 1)) % methods.length]!,
    checkpoint,
    concurrency: needs.concurrency ?? (place < GRID / 2 ? 1 : 3),
    badRows: needs.badRows ?? random.next() < 0.35,
    ownPool: needs.ownPool ?? random.next() < 0.3,
    retries: needs.retries ?? (checkpoint && random.next() < 0.4 ? 'few' : 'many'),
    pace: needs.pace ?? (random.next() < 0.3 ? 'bursts' : 'trickle'),
    evolves: needs.evolves ?? false,
  }
}

export function describeCase({ number, kind, shape, seed }: FaultCase): string {
  const { method, checkpoint, concurrency, badRows, ownPool, retries, pace, whole } = shape
  const extras = [
    checkpoint ? 'checkpoint' : 'no checkpoint',
    `concurrency ${concurrency}`,
    ...(badRows ? ['bad rows'] : []),
    ...(ownPool ? ['own pool'] : []),
    ...(retries === 'few' ? ['few retries'] : []),
    ...(pace === 'trickle' ? [] : [pace]),
    ...(whole ? [whole] : []),
  ]
  return `case ${number} (${kind.name}; ${method}, ${extras.join(', ')}; seed ${seed})`
}
