import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { addRun, cutAtGaps, LogClock, type PartitionRun, type RecordedRun } from '../../src/time/clock-skew.ts'
import { watermarkOf } from '../../src/time/watermark.ts'

const SKEW = 10n
type Event = { readonly partition: number; readonly recordedAt: bigint }

/** The clock of a log whose events lie in row groups of some size. */
function clockOf(events: readonly Event[], rows = 3): LogClock {
  const clock = new LogClock(SKEW)
  clock.add(runsOf(events, rows))
  return clock
}

function runsOf(events: readonly Event[], rows: number): PartitionRun[] {
  return [0, 1, 2].flatMap((partition) => {
    const own = events.filter((event) => event.partition === partition).map(({ recordedAt }) => recordedAt)
    const runs: RecordedRun[] = []
    for (let from = 0; from < own.length; from += rows) {
      for (const run of cutAtGaps(BigInt64Array.from(own.slice(from, from + rows)), SKEW)) addRun(runs, run, SKEW)
    }
    return runs.map((run) => ({ ...run, partition }))
  })
}

const at = (...moments: readonly number[]): Event[] =>
  moments.map((moment) => ({ partition: 0, recordedAt: BigInt(moment) }))

describe('LogClock', () => {
  test.each<[string, readonly number[], bigint, number]>([
    ['an event far ahead', [1, 5, 9, 100], 9n, 1],
    ['several, each by its own clock', [1, 5, 9, 14, 100, 200, 300], 14n, 3],
    ['several of one clock', [1, 5, 9, 14, 100, 101, 102], 14n, 3],
    ['the last of two', [1, 100], 1n, 1],
    ['none where the only event is', [100], 100n, 0],
    ['none in a log that is quiet for just so long', [1, 11, 21, 31], 31n, 0],
    ['none after a clock that is behind', [-1000, 1, 2, 3], 3n, 0],
    ['none once most events lie there', [1, 2, 100, 101, 102], 102n, 0],
    ['no event', [], null as unknown as bigint, 0],
  ])('%s', (_, moments, end, ahead) => {
    const clock = clockOf(at(...moments))
    expect([clock.end, clock.ahead]).toEqual([end, ahead])
  })

  test('a partition that has nothing but events that are ahead has not come anywhere', () => {
    const clock = clockOf([...at(1, 2, 3), { partition: 1, recordedAt: 100n }])
    expect([...clock.progress]).toEqual([[0, 3n]])
  })
})

const anyLog = fc.array(fc.record({ partition: fc.integer({ min: 0, max: 2 }), recordedAt: fc.bigInt(-60n, 60n) }))
const watermark = (clock: LogClock) => watermarkOf(clock.progress.values(), 3n)

describe('for any log', () => {
  it('nothing depends on how its events lie in files and row groups', () => {
    fc.assert(
      fc.property(anyLog, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), (events, a, b) => {
        const [one, other] = [clockOf(events, a), clockOf([...events].reverse(), b)]
        expect([one.end, one.ahead, new Map(one.progress)]).toEqual([other.end, other.ahead, new Map(other.progress)])
      }),
    )
  })

  it('the watermark never goes back as known-at goes on, and period after period gives what a whole log does', () => {
    fc.assert(
      fc.property(anyLog, (events) => {
        const followed = new LogClock(SKEW)
        let before: bigint | null = null
        for (let knownAt = -60n; knownAt <= 60n; knownAt++) {
          const whole = clockOf(events.filter(({ recordedAt }) => recordedAt <= knownAt))
          followed.add(
            runsOf(
              events.filter(({ recordedAt }) => recordedAt === knownAt),
              3,
            ),
          )
          expect([watermark(followed), followed.end]).toEqual([watermark(whole), whole.end])
          if (before !== null) expect(watermark(whole)! >= before).toBe(true)
          before = watermark(whole)
        }
      }),
    )
  })

  it('without a gap, one event more, however far ahead, makes no other window final', () => {
    const steady = anyLog.map((events) => events.map((event) => ({ ...event, recordedAt: event.recordedAt / 12n })))
    fc.assert(
      fc.property(steady, fc.bigInt(100n, 10_000n), (events, recordedAt) => {
        const more = clockOf([...events, { partition: 0, recordedAt }])
        if (events.length > 0) expect(watermark(more)).toEqual(watermark(clockOf(events)))
      }),
    )
  })
})
