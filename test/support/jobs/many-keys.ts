import { defineJob, defineLog, defineView, float64, int32, int64, string, timestamp } from 'refold'

const log = defineLog({
  name: 'payments',
  files: 'log/**/*.parquet',
  columns: { id: 'id', key: int64('account'), type: 'type', recordedAt: 'recorded' },
  fields: { amount: int64(), ratio: float64() },
})

const accounts = defineView({
  name: 'accounts',
  log,
  state: { balance: int64(), refused: int32(), last: timestamp(), mean: float64() },
  on: {
    In: (account, e) => {
      account.balance += e.amount
      account.last = e.recordedAt
      account.mean = account.mean * 0.9 + e.ratio * 0.1
    },
    Out: (account, e) => {
      if (account.balance < e.amount) account.refused++
      else account.balance -= e.amount
    },
  },
})

const sums = defineView({
  name: 'sums',
  log,
  key: { type: string(), last: int32() },
  keyBy: (e) => ({ type: e.type, last: e.amount % 1000 }),
  state: { count: int64(), total: int64() },
  on: {
    '*': (s, e) => {
      s.count++
      s.total += e.amount
    },
  },
  merge: (into, from) => {
    into.count += from.count
    into.total += from.total
  },
})

const steps = defineView({
  name: 'steps',
  log,
  key: { step: int32() },
  keyBy: (e) => [{ step: e.amount % 30_000 }, { step: e.amount % 7 }],
  state: () => ({ path: 0 }),
  on: {
    '*': (s, e) => {
      s.path = (s.path * 31 + e.amount) % 1_000_003
    },
  },
  columns: { path: int32() },
  row: (s) => ({ path: s.path }),
})

export default defineJob({ views: [accounts, sums, steps] })
