import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventsJob } from '../../src/scenario/events-view.ts'
import { buildScenario, planScenario } from '../../src/scenario/scenario.ts'
import { disk } from '../../src/storage/disk.ts'
import { type CaseEvent, type CorrectedView, correctedView } from '../support/corrected-view.ts'
import { readPublished, scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let view: CorrectedView
beforeEach(() => {
  folder = scratch('events-view')
  view = correctedView(folder.path)
})
afterEach(() => folder.remove())

const dayMicroseconds = 86_400_000_000

test.each([0, 1])('eventsJob() lists the events of a key instead of folding them, with %i workers', async (workers) => {
  const of = (region: string, count: number): CaseEvent[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `${region}${String(index).padStart(2, '0')}`,
      ...{ region, day: 1, recordedDay: 2, cases: index },
    }))
  view.setLog([...of('a', 25), ...of('b', 1)])
  const job = await view.load(1)
  const { logs } = await planScenario({ job, view: 'cases' }, disk)
  const listing = eventsJob(job, 'cases', logs)
  const built = await buildScenario({ job: listing, view: 'cases' }, { workers }, disk)
  const listed = (id: string) => ({
    member: 0,
    id: [id],
    recordedAt: `${2 * dayMicroseconds}`,
    occurredAt: `${dayMicroseconds}`,
  })
  const { rows } = readPublished(built.folder)
  expect(rows.toSorted((a, b) => Number(b['events']) - Number(a['events']))).toMatchObject([
    // No more than 20 are kept, the first in the log's order.
    { region: 'a', events: 25, first: of('a', 20).map(({ id }) => listed(id)) },
    { region: 'b', events: 1, first: [listed('b00')] },
  ])
  built.dispose()
  job.dispose()
})
