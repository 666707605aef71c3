import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { idleSteps, idleTimeoutProblem, isFinal, watermarkOf } from '../../src/time/watermark.ts'

describe('watermarkOf()', () => {
  test.each([
    ['no partition', [], null],
    ['one', [100n], 100n],
    ['the least of partitions that all speak', [98n, 100n, 95n], 95n],
    ['one that is silent is not waited for', [10n, 100n], 90n],
    ['silent for just so long', [90n, 100n], 90n],
    ['moments before 1970', [-100n, -95n], -100n],
  ] as const)('%s', (_, progress, watermark) => {
    expect(watermarkOf(progress, 10n)).toBe(watermark)
  })
})

/** Notes that a partition recorded an event; its newest moment only advances. */
function advance(progress: Map<string, bigint>, partition: string, recordedAt: bigint): void {
  const before = progress.get(partition)
  if (before === undefined || recordedAt > before) progress.set(partition, recordedAt)
}

const anyEvent = fc.record({ partition: fc.constantFrom('a', 'b', 'c', 'd'), recordedAt: fc.bigInt(-50n, 50n) })
type Event = { readonly partition: string; readonly recordedAt: bigint }

function watermarkAt(events: readonly Event[], knownAt: bigint, idleTimeout: bigint): bigint | null {
  const progress = new Map<string, bigint>()
  for (const { partition, recordedAt } of events) {
    if (recordedAt <= knownAt) advance(progress, partition, recordedAt)
  }
  return watermarkOf(progress.values(), idleTimeout)
}

describe('for any log', () => {
  it('the watermark never goes back as known-at goes on, and never runs ahead of it', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), fc.bigInt(0n, 60n), (events, idleTimeout) => {
        let before: bigint | null = null
        for (let knownAt = -60n; knownAt <= 60n; knownAt++) {
          const watermark = watermarkAt(events, knownAt, idleTimeout)
          if (before !== null) expect(watermark! >= before).toBe(true)
          if (watermark !== null) expect(watermark <= knownAt).toBe(true)
          before = watermark
        }
      }),
    )
  })

  it('what is recorded after the watermark is late for every window that is final', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), fc.bigInt(0n, 60n), fc.bigInt(-60n, 60n), (events, idleTimeout, deadline) => {
        const watermark = watermarkAt(events, 60n, idleTimeout)
        const later = events.filter(({ recordedAt }) => watermark !== null && recordedAt > watermark)
        if (isFinal(watermark, deadline)) expect(later.every(({ recordedAt }) => recordedAt > deadline)).toBe(true)
      }),
    )
  })
})

test('a window is final once the watermark is past its deadline', () => {
  expect([isFinal(null, 5n), isFinal(5n, 5n), isFinal(6n, 5n)]).toEqual([false, false, true])
})

test('idleTimeout has an exact length', () => {
  expect(idleSteps('1 day', 'us')).toBe(86_400_000_000n)
  expect(idleSteps('0 hours', 'ms')).toBe(0n)
  expect(idleSteps('2 weeks', 'ns')).toBe(14n * 86_400_000_000_000n)
  expect(idleTimeoutProblem('36 hours')).toBeNull()
  expect(idleTimeoutProblem('1 month')).toBe(
    "expected weeks or a smaller unit, as a month has no length of its own, found '1 month'",
  )
  expect(idleTimeoutProblem(1)).toBe("expected a unit too, as '1 days', found 1")
})
