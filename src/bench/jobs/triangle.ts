import { date, dayOf, defineJob, defineView, int32, int64 } from '../../index.ts'
import { ledger } from './ledger.ts'

/** How many events of each day were recorded how many days later: the triangle that delays are estimated from. */
export const triangle = defineView({
  name: 'triangle',
  log: ledger,
  key: { day: date(), delay: int32() },
  keyBy: (e) => ({ day: dayOf(e.occurredAt), delay: dayOf(e.recordedAt) - dayOf(e.occurredAt) }),
  state: { count: int64() },
  on: {
    '*': (cell) => {
      cell.count++
    },
  },
  merge: (into, from) => {
    into.count += from.count
  },
})

export default defineJob({ views: [triangle] })
