/** The results of each case, in the order of its runs. */
export type Samples<Case, Sample> = ReadonlyMap<Case, readonly Sample[]>

/**
 * Runs every case once, then every case again, and so on, so that a slow minute of the machine affects all of
 * them alike. Every other round goes backwards, so that no case always has the same neighbour.
 */
export async function interleaved<Case, Sample>(
  cases: readonly Case[],
  rounds: number,
  run: (one: Case) => Promise<Sample>,
  onRun: (round: number, one: Case, sample: Sample) => void = () => {},
): Promise<Samples<Case, Sample>> {
  const samples = new Map<Case, Sample[]>(cases.map(one => [one, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const one of round % 2 === 1 ? cases : cases.toReversed()) {
      const sample = await run(one)
      samples.get(one)!.push(sample)
      onRun(round, one, sample)
    }
  }
  return samples
}
