import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keptLogicPath, manifestPath, readCurrent, runPath } from '../../src/storage/generations.ts'
import { type CaseEvent, type CorrectedView, correctedView, noticesIn } from '../support/corrected-view.ts'
import { scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let view: CorrectedView
beforeEach(() => {
  folder = scratch('causes')
  view = correctedView(folder.path)
})
afterEach(() => folder.remove())

function event(id: string, region: string, day: number, recordedDay: number, cases: number): CaseEvent {
  return { id, region, day, recordedDay, cases }
}

/** `day/region column old→new: cause`, with the ids of the events behind it. */
function told(out: string, generation: string): string[] {
  return noticesIn(out, generation)
    .map(({ key, column, old, new: now, cause, behind }) => {
      const { day, region } = key as { day: string; region: string }
      const ids = (behind as { id: string }[]).map(({ id }) => id).join()
      return `${day.slice(8)}/${region} ${column} ${old}→${now}: ${cause}${ids === '' ? '' : ` (${ids})`}`
    })
    .sort()
}

const first = [
  event('a1', 'a', 1, 2, 5),
  event('a2', 'a', 2, 3, 7),
  event('b1', 'b', 1, 2, 10),
  event('b2', 'b', 3, 3, 1),
]

describe('the cause of a changed figure', () => {
  test('is late data where events were recorded since, with those events', async () => {
    view.setLog(first)
    expect((await view.publish(1)).corrections).toBe(0)
    view.setLog([...first, event('a3', 'a', 1, 9, 2), event('a4', 'a', 1, 9, 1), event('a5', 'a', 8, 9, 4)])
    const { generation, corrections } = await view.publish(1)
    expect(corrections).toBe(2)
    expect(told(view.out, generation)).toEqual([
      '02/a reports 1→3: late data (a3,a4)',
      '02/a total 5→8: late data (a3,a4)',
    ])
    const [notice] = noticesIn(view.out, generation)
    expect(notice).toMatchObject({
      id: `cases/${generation}/0`,
      view: 'cases',
      change: 'changed',
      events: 2,
      wasFinal: false,
      firstGeneration: expect.stringMatching(/^000001-/),
      behind: [{ id: 'a3', recordedAt: '1970-01-10T00:00:00.000000Z', lagSeconds: 8 * 86_400 }, { id: 'a4' }],
    })
  })

  test('is the changed logic where the same events count otherwise', async () => {
    view.setLog(first)
    await view.publish(1)
    const { generation } = await view.publish(2)
    expect(told(view.out, generation)).toEqual([
      '02/a total 5→10: changed logic',
      '02/b total 10→20: changed logic',
      '03/a total 7→14: changed logic',
      '04/b total 1→2: changed logic',
    ])
  })

  test('is an upstream correction where an event was replaced, withdrawn, or put in with an old date', async () => {
    view.setLog(first)
    await view.publish(1)
    view.setLog([event('a1', 'a', 1, 2, 6), first[1]!, first[3]!, event('b9', 'b', 3, 3, 1)])
    const { generation } = await view.publish(1)
    expect(told(view.out, generation)).toEqual([
      '02/a total 5→6: upstream correction (a1)',
      '02/b reports 1→null: upstream correction',
      '02/b total 10→null: upstream correction',
      '04/b reports 1→2: upstream correction (b2,b9)',
      '04/b total 1→2: upstream correction (b2,b9)',
    ])
    expect(noticesIn(view.out, generation).filter(({ change }) => change === 'vanished')).toHaveLength(2)
  })

  test('are several where several things changed, each with its share', async () => {
    view.setLog(first)
    await view.publish(1)
    view.setLog([event('a1', 'a', 1, 2, 6), ...first.slice(1), event('b3', 'b', 1, 9, 100), event('c1', 'c', 1, 9, 1)])
    const { generation } = await view.publish(2)
    expect(told(view.out, generation)).toEqual([
      '02/a total 5→12: upstream correction + changed logic (a1)',
      '02/b reports 1→2: late data (b3)',
      '02/b total 10→220: late data + changed logic (b3)',
      '02/c reports null→1: late data (c1)',
      '02/c total null→2: late data + changed logic (c1)',
      '03/a total 7→14: changed logic',
      '04/b total 1→2: changed logic',
    ])
    const both = noticesIn(view.out, generation).find(({ old, new: now }) => old === 10 && now === 220)
    expect(both!['steps']).toEqual([
      { cause: 'late data', old: 10, new: 110 },
      { cause: 'changed logic', old: 110, new: 220 },
    ])
  })

  test('are the options where known-at leaves out what was known, and not where it only moves on', async () => {
    view.setLog(first)
    await view.publish(1, { knownAt: '1970-01-03' })
    const forward = await view.publish(1, { knownAt: '1970-01-04' })
    expect(forward.corrections).toBe(0)
    view.setLog([...first, event('a3', 'a', 1, 9, 2)])
    await view.publish(1)
    const back = await view.publish(1, { knownAt: '1970-01-04' })
    expect(told(view.out, back.generation)).toEqual([
      '02/a reports 2→1: changed options',
      '02/a total 7→5: changed options',
    ])
    const asOf = await view.publish(1, { knownAt: '1970-01-04', asOf: '1970-01-02' })
    expect(told(view.out, asOf.generation).every((line) => line.endsWith('changed options'))).toBe(true)
    expect(asOf.corrections).toBe(4)
  })

  test('is late data also where the log was laid out in other partitions meanwhile', async () => {
    view.setLog(first)
    await view.publish(1)
    view.setLog([...first, event('a3', 'a', 1, 9, 2)], 'area')
    const { generation } = await view.publish(1)
    expect(told(view.out, generation)).toEqual(['02/a reports 1→2: late data (a3)', '02/a total 5→7: late data (a3)'])
  })

  test('is told for every figure as an oracle finds it, whatever changes at once', async () => {
    let round = 0
    const anyEvent = fc.record({
      region: fc.constantFrom('a', 'b'),
      day: fc.nat(3),
      cases: fc.integer({ min: -3, max: 9 }),
    })
    const anyLog = fc.array(anyEvent, { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        ...([anyLog, anyLog, fc.nat(11), fc.integer({ min: -1, max: 1 }), fc.constantFrom(1, 2)] as const),
        async (early, late, replaced, change, factor) => {
          const own = correctedView(join(folder.path, String(round++)))
          const then = early.map((one, index) => event(`e${index}`, one.region, one.day, 5, one.cases))
          own.setLog(then)
          await own.publish(1)
          const corrected = then.map((one, index) => (index === replaced ? { ...one, cases: one.cases + change } : one))
          const since = late.map((one, index) => event(`l${index}`, one.region, one.day, 6, one.cases))
          own.setLog([...corrected, ...since])
          const { generation } = await own.publish(factor)
          const expected = expectedCauses(then, corrected, [...corrected, ...since], factor)
          const found = noticesIn(own.out, generation).map(({ key, column, old, new: now, cause }) => {
            const { day, region } = key as { day: string; region: string }
            return `${Number(day.slice(8)) - 1}/${region} ${column} ${old}→${now}: ${cause}`
          })
          expect(found.sort()).toEqual(expected.sort())
        },
      ),
      { numRuns: 12 },
    )
  }, 60_000)
})

/** Folds with a Map, and compares what each step makes of every figure. */
function expectedCauses(
  then: readonly CaseEvent[],
  corrected: readonly CaseEvent[],
  all: readonly CaseEvent[],
  factor: number,
): string[] {
  const series = [fold(then, 1), fold(corrected, 1), fold(all, 1), fold(all, factor)]
  const [old, now] = [series[0]!, series[3]!]
  const windows = new Set(then.map(({ day }) => day))
  const causes = ['upstream correction', 'late data', 'changed logic']
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((figure) => {
    const values = series.map((one) => one.get(figure) ?? null)
    const isPublished = old.has(figure) || windows.has(Number(figure.split('/')[0]))
    if (values[0] === values[3] || !isPublished) return []
    const taken = causes.filter((_, step) => values[step] !== values[step + 1])
    return [`${figure} ${values[0]}→${values[3]}: ${taken.join(' + ')}`]
  })
}

function fold(events: readonly CaseEvent[], factor: number): Map<string, number> {
  const figures = new Map<string, number>()
  const add = (name: string, amount: number) => figures.set(name, (figures.get(name) ?? 0) + amount)
  for (const { day, region, cases } of events) {
    add(`${day}/${region} total`, cases * factor)
    add(`${day}/${region} reports`, 1)
  }
  return figures
}

describe('corrections', () => {
  test('say since when the old figure stood', async () => {
    view.setLog(first)
    const old = await view.publish(1)
    view.setLog([...first, event('c1', 'c', 9, 9, 1)])
    await view.publish(1)
    view.setLog([...first, event('c1', 'c', 9, 9, 1), event('a3', 'a', 1, 10, 1)])
    const second = await view.publish(1)
    expect(noticesIn(view.out, second.generation)[0]!['firstGeneration']).toBe(old.generation)
    view.setLog([...first, event('c1', 'c', 9, 9, 1), event('a3', 'a', 1, 10, 1), event('a4', 'a', 1, 11, 1)])
    const third = await view.publish(1)
    expect(noticesIn(view.out, third.generation)[0]!['firstGeneration']).toBe(second.generation)
  })

  test('are published, with the reason, where the old logic is gone and causes can not be told apart', async () => {
    view.setLog(first)
    const { path } = await view.publish(1)
    writeFileSync(keptLogicPath(path), 'export default 1')
    view.setLog([...first, event('a3', 'a', 1, 9, 2)])
    const { views, notes } = await view.rebuild(2)
    expect(notes).toEqual([
      expect.stringMatching(/^Why figures of view cases changed could not all be determined: .* with the SHA-256 /),
    ])
    const notices = noticesIn(view.out, views[0]!.generation)
    expect(new Set(notices.map(({ cause }) => cause))).toEqual(new Set(['undetermined']))
    expect(notices[0]!['detail']).toContain('with the SHA-256')
    expect(notices[0]!['events']).toBe(1)
  })

  test('are told of windows that vanish and come back, both times', async () => {
    view.setLog(first)
    await view.publish(1)
    const back = await view.publish(1, { knownAt: '1970-01-03' })
    expect(told(view.out, back.generation)).toEqual([
      '03/a reports 1→null: changed options',
      '03/a total 7→null: changed options',
      '04/b reports 1→null: changed options',
      '04/b total 1→null: changed options',
    ])
    view.setLog([...first, event('a9', 'a', 9, 9, 1)])
    const { generation } = await view.publish(1)
    // The window that no generation ever had is none of them.
    expect(told(view.out, generation)).toEqual([
      '03/a reports null→1: late data (a2)',
      '03/a total null→7: late data (a2)',
      '04/b reports null→1: late data (b2)',
      '04/b total null→1: late data (b2)',
    ])
    expect(new Set(noticesIn(view.out, generation).map(({ change }) => change))).toEqual(new Set(['appeared']))
  })

  test('say when a generation was finished by what it says itself, as a copy of it has other times', async () => {
    view.setLog(first)
    const { path } = await view.publish(1)
    utimesSync(manifestPath(path), 0, 0)
    const { finishedAt } = JSON.parse(readFileSync(runPath(path), 'utf8')) as { finishedAt: string }
    const second = await view.publish(2)
    const published = () => noticesIn(view.out, readCurrent(view.out, 'cases').generation)[0]!['firstPublishedAt']
    expect(published()).toBe(finishedAt.replace('Z', '000Z'))
    writeFileSync(runPath(second.path), '{}')
    utimesSync(manifestPath(second.path), 86_400, 86_400)
    await view.publish(3)
    expect(published()).toBe('1970-01-02T00:00:00.000000Z')
  })

  test('leave nothing behind but the generation, and none is published where figures stay', async () => {
    view.setLog(first)
    await view.publish(1)
    view.setLog([...first, event('a3', 'a', 1, 9, 2)])
    await view.publish(2)
    expect(readdirSync(view.out)).toEqual(['cases'])
    const again = await view.publish(2)
    expect([again.outcome, again.corrections]).toEqual(['unchanged', 0])
  })

  test('are the same bytes for threads and for none', async () => {
    const bytes: string[] = []
    for (const workers of [0, 2]) {
      const own = correctedView(join(folder.path, `workers-${workers}`))
      own.setLog(first)
      await own.publish(1)
      own.setLog([...first, event('a3', 'a', 1, 9, 2)])
      const { generation } = await own.publish(2, { workers })
      const notices = noticesIn(own.out, generation)
      bytes.push(JSON.stringify(notices.map(({ firstPublishedAt: _, ...rest }) => rest)))
      rmSync(own.home, { recursive: true })
    }
    expect(bytes[0]).toBe(bytes[1])
  }, 30_000)
})
