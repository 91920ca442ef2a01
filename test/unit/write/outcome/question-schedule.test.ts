import { expect } from 'chai'
import { type Found, QuestionSchedule } from '../../../../lib/write/outcome/question-schedule.ts'

const retry = {
  retries: 10,
  minDelayMs: 100,
  maxDelayMs: 5000,
  maxElapsedMs: Infinity,
  shouldRetry: () => true,
}

/**
 * Asks for `ms`, with the same answer at once each time. Returns the times of the questions and the schedule.
 */
function ask(ms: number, found: (now: number) => Found): { times: number[]; schedule: QuestionSchedule } {
  const schedule = new QuestionSchedule(retry, 0, () => 1)
  const times: number[] = []
  for (let now = 0; now < ms; now += schedule.pauseMs(now, found(now))) times.push(now)
  return { times, schedule }
}

const longestGap = (times: readonly number[]): number =>
  Math.max(...times.slice(1).map((time, index) => time - times[index]!))

describe('QuestionSchedule', () => {
  it('asks a server that refuses as a retry would', () => {
    expect(ask(7000, () => 'refusal').times).to.deep.equal([0, 100, 300, 700, 1500, 3100, 6300])
  })

  it('asks closely at first, and then as a retry would, where nothing shows how the server is', () => {
    const { times } = ask(7000, () => 'nothing')
    expect(longestGap(times.filter(time => time <= 1000))).to.equal(10)
    expect(times.filter(time => time > 1000)).to.deep.equal([1500, 3100, 6300])
  })

  it('asks a server that is down closely, for a minute', () => {
    const { times } = ask(80_000, () => 'down')
    expect(longestGap(times.filter(time => time <= 1000))).to.equal(10)
    expect(longestGap(times.filter(time => time <= 60_000))).to.equal(50)
    expect(longestGap(times.filter(time => time >= 66_000))).to.equal(5000)
  })

  it('counts what it asks in between as the same question', () => {
    const closely = ask(40_000, () => 'down')
    expect(closely.times.length).to.be.greaterThan(800)
    expect(closely.schedule.questions).to.equal(ask(40_000, () => 'refusal').schedule.questions)
  })
})
