/**
 * Taiwan's daily local COVID-19 cases of May 2021, as announced: each day's report brought new cases and, from 22 May,
 * added cases to days that were reported before. `refold rebuild jobs/taiwan-backlog.ts --vintages day` keeps besides the
 * series as it was known on each day; `--known-at 2021-05-22` gives that of one day alone.
 */
import { defineJob, defineLog, defineView, int32 } from 'refold'

export const announcements = defineLog({
  name: 'announcements',
  files: 'data/taiwan-backlog/*.parquet',
  // A report says one thing about each day, so the two days together identify what it said.
  columns: {
    id: ['report_date', 'case_date'],
    type: 'event_type',
    occurredAt: 'case_date',
    recordedAt: 'report_date',
  },
  zone: 'Asia/Taipei',
  // One report a day, which says all that was recorded on it.
  recordsWholeDays: true,
  types: ['INITIAL', 'BACKLOG_CORRECTION'],
  fields: { cases: int32('delta_cases') },
})

/** The epidemic curve: for each day how many cases were first reported, and how many were added later. */
export const dailyCases = defineView({
  name: 'daily-cases',
  log: announcements,
  // What is announced more than a week later still belongs to its day.
  window: { name: 'day', every: 'day', allowedLateness: '7 days', late: 'apply', measure: (e) => e.cases },
  state: { cases: int32(), firstReported: int32(), backlogged: int32(), reports: int32() },
  on: {
    INITIAL: (day, e) => {
      day.cases += e.cases
      day.firstReported += e.cases
      day.reports++
    },
    BACKLOG_CORRECTION: (day, e) => {
      day.cases += e.cases
      day.backlogged += e.cases
      day.reports++
    },
  },
  merge: (into, from) => {
    into.cases += from.cases
    into.firstReported += from.firstReported
    into.backlogged += from.backlogged
    into.reports += from.reports
  },
})

export default defineJob({ views: [dailyCases] })
