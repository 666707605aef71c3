/** Permit cases of a Dutch municipality: nanoseconds, and column names with colons. */
import { bigint, defineJob, defineLog, defineView, int32, string, timestamp } from 'refold'

export const activities = defineLog({
  name: 'activities',
  files: 'receipt/receipt.parquet',
  columns: {
    id: 'concept:instance',
    key: 'case:concept:name',
    type: 'concept:name',
    occurredAt: 'time:timestamp',
    recordedAt: 'time:timestamp',
  },
  timeUnit: 'ns',
  zone: 'UTC',
  fields: { resource: string('org:resource'), startedAt: timestamp('ns', 'case:startdate') },
})

export const cases = defineView({
  name: 'cases',
  log: activities,
  state: {
    events: int32(),
    startedAt: timestamp('ns'),
    firstAt: timestamp('ns'),
    lastAt: timestamp('ns'),
    longestPause: bigint(),
    resource: string(),
  },
  on: {
    '*': (permit, e) => {
      if (permit.events === 0) permit.firstAt = e.occurredAt
      else if (e.occurredAt - permit.lastAt > permit.longestPause) permit.longestPause = e.occurredAt - permit.lastAt
      permit.events++
      permit.startedAt = e.startedAt
      permit.lastAt = e.occurredAt
      permit.resource = e.resource
    },
  },
})

export default defineJob({ views: [cases] })
