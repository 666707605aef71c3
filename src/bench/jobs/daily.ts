import { date, dayOf, defineJob, defineView, int64, string } from '../../index.ts'
import { ledger } from './ledger.ts'

export const daily = defineView({
  name: 'daily',
  log: ledger,
  key: { day: date(), type: string() },
  keyBy: (e) => ({ day: dayOf(e.occurredAt), type: e.type }),
  state: {
    count: int64(),
    total: int64(),
    smallest: int64(undefined, { initial: Number.MAX_SAFE_INTEGER }),
    largest: int64(),
  },
  on: {
    '*': (day, e) => {
      day.count++
      day.total += e.amount
      day.smallest = Math.min(day.smallest, e.amount)
      day.largest = Math.max(day.largest, e.amount)
    },
  },
  merge: (into, from) => {
    into.count += from.count
    into.total += from.total
    into.smallest = Math.min(into.smallest, from.smallest)
    into.largest = Math.max(into.largest, from.largest)
  },
})

export default defineJob({ views: [daily] })
