import { describeCase, type FaultCase } from '../cases/cases.ts'
import type { FaultServer } from '../servers/server.ts'
import type { CaseResult } from './judge-case.ts'
import { runCase } from './run-case.ts'

/** A stream that never finds the outcome fails this often in a row; a machine that is too busy does not. */
const TRIES = 3

/** The part of all cases that may have been open. One may, also where there are few. */
const MOST_OPEN = 0.01

/**
 * Runs cases, and counts those in which the outcome of a COMMIT stayed unknown after a crash. The stream must
 * say so where it has lost sight of the server, which depends on the machine, so such a case is tried again.
 */
export class OpenCases {
  readonly #open: FaultCase[] = []

  async run(server: FaultServer, fault: FaultCase): Promise<CaseResult> {
    for (let left = TRIES - 1; ; left--) {
      const result = await runCase(server, fault)
      if (!result.isOpen || result.complaints.length > 0) return result
      this.#open.push(fault)
      if (left === 0) {
        return { ...result, complaints: [`the outcome of a COMMIT stayed unknown in each of ${TRIES} tries`] }
      }
      console.log(
        `OPEN ${describeCase(fault)}: the outcome of a COMMIT stayed unknown; the case is tried again`,
      )
    }
  }

  /** How many were open, by the kind of their fault. @param cases how many cases there are */
  report(cases: number): { readonly text: string; readonly isTooMany: boolean } {
    const counts = new Map<string, number>()
    for (const { kind } of this.#open) counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1)
    const kinds = [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
    const most = Math.max(1, Math.floor(MOST_OPEN * cases))
    const count = this.#open.length
    return {
      text: `${count} outcomes of at most ${most} stayed unknown after a crash${kinds && `: ${kinds}`}`,
      isTooMany: count > most,
    }
  }
}
