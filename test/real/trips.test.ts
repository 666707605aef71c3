import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { int32, json, string } from '../../src/index.ts'
import { readJson, realData, rebuildIn, skipReason, temporaryFolder, writeLog } from '../support/real-data.ts'

const data = realData('marten_trips')

interface TripEvent {
  readonly $type: string
}

/** One event a row: `DaemonTests.TestingSupport.Travel, DaemonTests` is of type `Travel`, the rest is its payload. */
function* eventsOf(streams: readonly (readonly TripEvent[])[]) {
  for (const [stream, events] of streams.entries()) {
    for (const [version, { $type, ...payload }] of events.entries()) {
      const type = /(\w+),/.exec($type)![1]!
      yield { event_id: `${stream}/${version}`, stream: `trip-${stream}`, version, type, payload }
    }
  }
}

describe.skipIf(data === undefined)(`the trips of an event store's tests${skipReason('marten_trips')}`, () => {
  let temporary: ReturnType<typeof temporaryFolder> | undefined
  let result: Awaited<ReturnType<typeof rebuildIn>>
  const sum = (view: string, column: string) =>
    result.rowsOf(view).reduce((total, row) => total + (row[column] as number), 0)
  const countersOf = (view: string) => result.report.views.find((report) => report.view === view)!.counters

  beforeAll(async () => {
    temporary = temporaryFolder('trips')
    const streams = readJson<TripEvent[][]>(join(data!, 'data.json.gz'))
    const fields = { event_id: string(), stream: string(), version: int32(), type: string(), payload: json() }
    await writeLog(join(temporary.path, 'trips/events.parquet'), fields, eventsOf(streams))
    result = await rebuildIn(temporary.path, 'test/real/jobs/trips.ts')
  })
  afterAll(() => temporary?.remove())

  it('folds arrays within JSON payloads to the distance travelled, 164,488 in all', () => {
    expect(result.rowsOf('trips')).toHaveLength(100)
    expect(sum('trips', 'travelled')).toBe(164_488)
    expect(sum('trips-of-known-events', 'travelled')).toBe(164_488)
  })

  it('finds 48 trips ended', () => {
    expect(result.rowsOf('trips').filter((row) => row.endedOn !== null)).toHaveLength(48)
    expect(sum('trips-of-known-events', 'ended')).toBe(48)
  })

  it('quarantines the 100 events that make a handler throw, and applies all others', () => {
    expect(countersOf('trips')).toMatchObject({ read: 2416, applied: 2316, quarantined: 100 })
  })

  it('quarantines the same 100 events where they are of a type the view does not know', () => {
    expect(countersOf('trips-of-known-events')).toMatchObject({ read: 2416, applied: 2316, quarantined: 100 })
  })
})
