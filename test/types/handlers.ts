/**
 * What must compile and what must not: each line below `@ts-expect-error` is an error to the compiler, or this file is
 * one. Checked with everything else, and by `handlers.test.ts`.
 */
import {
  bigint,
  bool,
  date,
  dayOf,
  decimal,
  defineJob,
  defineLog,
  defineView,
  type EventOf,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
} from 'refold'

/** Compiles only where both are the very same type. */
function same<A, B>(_: [A, B] extends [B, A] ? true : never): void {}

const ledger = defineLog({
  name: 'ledger',
  files: 'data/*.parquet',
  columns: { id: 'event_id', key: 'account_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  fields: {
    amount: int64(),
    small: int32(),
    big: bigint(),
    price: decimal(9, 2),
    ratio: float64(),
    open: bool(),
    note: nullable(string()),
    day: date(),
    at: timestamp('ms'),
    precise: timestamp('ns'),
    payload: json<{ readonly city: string }>(),
    city: string('payload.city'),
  },
  upcast: {
    Old: (e) => ({ type: 'New', amount: e.amount * 100, note: null }),
    Split: (e) => [{ amount: e.amount }, { amount: 0 }],
    Gone: () => null,
  },
})

type Event = EventOf<typeof ledger>
same<Event['id'], string | number>(true)
same<Event['key'], string>(true)
same<Event['type'], string>(true)
same<Event['occurredAt'], number>(true)
same<Event['amount'], number>(true)
same<Event['big'], bigint>(true)
same<Event['price'], number>(true)
same<Event['open'], boolean>(true)
same<Event['note'], string | null>(true)
same<Event['precise'], bigint>(true)
same<Event['payload'], { readonly city: string }>(true)
// @ts-expect-error: the log declares no sequence
type _NoSequence = Event['sequence']

defineLog({
  name: 'wrong',
  files: 'x',
  columns: { id: 'event_id' },
  fields: { amount: int64() },
  upcast: {
    // @ts-expect-error: no such field
    Misnamed: (e) => ({ amount: e.amuont }),
    // @ts-expect-error: a string is no amount
    Mistyped: () => ({ amount: '1' }),
  },
})
// @ts-expect-error: a log must say what identifies an event
defineLog({ name: 'wrong', files: 'x', columns: { key: 'account_id' } })
// @ts-expect-error: no such unit
defineLog({ name: 'wrong', files: 'x', columns: { id: 'event_id' }, timeUnit: 's' })

export const balances = defineView({
  name: 'balances',
  log: ledger,
  state: {
    balance: int64(),
    entries: int32(),
    last: nullable(timestamp()),
    exact: bigint(),
    open: bool(),
    name: string(),
  },
  on: {
    Deposited: (account, e) => {
      account.balance += e.amount
      account.entries++
      account.last = e.occurredAt
      account.exact += e.big
      account.open = e.open
      account.name = e.note ?? e.city
    },
    Withdrawn: (account, e, key) => {
      same<typeof account.balance, number>(true)
      same<typeof account.last, number | null>(true)
      same<typeof key.key, string | number | bigint>(true)
      // @ts-expect-error: no such state
      account.balanc = 1
      // @ts-expect-error: no such field
      account.balance = e.nope
      // @ts-expect-error: may be null
      account.name = e.note
      // @ts-expect-error: a bigint is no number
      account.balance += e.big
      // @ts-expect-error: a number is no bigint
      account.exact = e.amount
      // @ts-expect-error: not nullable
      account.balance = null
      // @ts-expect-error: an event never changes
      e.amount = 1
      // @ts-expect-error: a number is no boolean
      account.open = e.amount
    },
  },
})

export const daily = defineView({
  name: 'daily',
  log: ledger,
  key: { day: date(), type: string(), note: nullable(string()) },
  keyBy: (e) => {
    dayOf(e.occurredAt, { zone: 'Europe/Berlin' })
    // @ts-expect-error: zone and unit are options
    dayOf(e.occurredAt, 'us', 'Europe/Berlin')
    // @ts-expect-error: no such option
    dayOf(e.occurredAt, { timeZone: 'Europe/Berlin' })
    return { day: dayOf(e.occurredAt), type: e.type, note: e.note }
  },
  state: { count: int64() },
  filter: (e) => e.amount > 0,
  on: {
    '*': (state, e, key) => {
      same<typeof key, Readonly<{ day: number; type: string; note: string | null }>>(true)
      state.count += key.day + e.amount
      // @ts-expect-error: a key never changes
      key.day = 1
    },
  },
  merge: (into, from) => {
    into.count += from.count
    // @ts-expect-error: what is merged in is only read
    from.count = 0
  },
})

export const tree = defineView({
  name: 'tree',
  log: ledger,
  key: { path: string() },
  keyBy: (e) => (e.note === null ? null : [{ path: e.note }, { path: e.city }]),
  state: () => ({ blob: null as string | null, mode: 0 }),
  on: {
    R100: (file, e, key) => {
      file.blob = key.path === e.note ? null : e.city
      // @ts-expect-error: no such state
      file.blub = 1
    },
  },
  columns: { mode: int32(), blob: string() },
  row: (file, key) => (file.blob === null ? null : [{ mode: file.mode, blob: file.blob + key.path }]),
})

export const windowed = defineView({
  name: 'windowed',
  log: ledger,
  window: { name: 'day', every: 'day', allowedLateness: '7 days', measure: (e) => e.amount },
  key: { type: string() },
  keyBy: (e) => ({ type: e.type }),
  state: { count: int64() },
  on: {
    '*': (state, e, key) => {
      same<typeof key, Readonly<{ day: number; type: string }>>(true)
      state.count += key.day + e.amount
      // @ts-expect-error: the window's column has the name it was given
      state.count += key.window
      // @ts-expect-error: a key never changes
      key.day = 1
    },
  },
  row: (state, key) => ({ count: state.count + key.day }),
})

export const windowAlone = defineView({
  name: 'window-alone',
  log: ledger,
  window: { every: '6 hours', allowedLateness: '1 day', late: 'apply' },
  state: { count: int64() },
  on: {
    New: (state, _e, key) => {
      same<typeof key, Readonly<{ window: number }>>(true)
      state.count++
      // @ts-expect-error: without key columns the window alone is the key
      state.count += key.key
    },
  },
})

const results = {
  name: 'results',
  log: ledger,
  state: { count: int64(), name: string(), note: nullable(string()) },
} as const
// What is written for its effect compiles, whatever its value.
defineView({
  ...results,
  on: {
    A: (state) => state.count++,
    B: (state, e) => (state.count += e.amount),
    C: (state, e) => (state.name = e.city),
    D: (state, e) => (state.note = e.note),
    E: (state, e) => e.open && state.count++,
    F: (state, e) => (e.open ? state.count++ : undefined),
    G: (state) => void state.count++,
    H: (state) => {
      if (state.count > 1) return
      state.count++
    },
  },
  merge: (into, from) => (into.count += from.count),
})
// @ts-expect-error: a typed state is changed in place
defineView({ ...results, on: { A: (s, e) => ({ ...s, count: s.count + e.amount }) } })
// @ts-expect-error: a fold can't wait
defineView({ ...results, on: { A: async (s) => void s.count++ } })
// @ts-expect-error: a merge changes the first of the states
defineView({ ...results, on: {}, merge: (a, b) => ({ ...a, count: a.count + b.count }) })
// @ts-expect-error: a state is no array of states
defineView({ ...results, on: { A: (s) => [s] } })

const free = { name: 'free', log: ledger, columns: { sum: int64() }, row: () => ({ sum: 0 }) } as const
// A free-form state is changed, or a new one returned.
defineView({
  ...free,
  state: () => ({ sum: 0, names: [] as string[] }),
  on: {
    A: (s, e) => ({ ...s, sum: s.sum + e.amount }),
    B: (s, e) => {
      s.sum += e.amount
    },
    C: (s, e) => s.names.push(e.city),
    D: (s, e) => (e.open ? { ...s, sum: 0 } : s),
  },
})
// @ts-expect-error: the new state lacks what the state has
defineView({ ...free, state: () => ({ sum: 0, count: 0 }), on: { A: (s, e) => ({ sum: s.sum + e.amount }) } })
// @ts-expect-error: a fold can't wait
defineView({ ...free, state: () => ({ sum: 0 }), on: { A: async (s) => s } })
// @ts-expect-error: an event is no state
defineView({ ...free, state: () => ({ sum: 0 }), on: { A: (_s, e) => e } })

const other = { name: 'other', log: ledger, state: { count: int64() } } as const
// @ts-expect-error: the key has another column
defineView({ ...other, key: { path: string() }, keyBy: (e) => ({ pat: e.key }), on: {} })
// @ts-expect-error: the key is a string
defineView({ ...other, key: { path: string() }, keyBy: (e) => ({ path: e.amount }), on: {} })
// @ts-expect-error: the key is not nullable
defineView({ ...other, key: { path: string() }, keyBy: (e) => ({ path: e.note }), on: {} })
// @ts-expect-error: a filter says yes or no
defineView({ ...other, filter: (e) => e.amount, on: {} })
// @ts-expect-error: the row lacks a column
defineView({ ...other, on: {}, columns: { a: int32(), b: int32() }, row: () => ({ a: 1 }) })
// @ts-expect-error: the row's column is a string
defineView({ ...other, on: {}, columns: { a: string() }, row: (state) => ({ a: state.count }) })
// @ts-expect-error: without columns a row is made of the state's
defineView({ ...other, on: {}, row: () => ({ total: 1 }) })
// @ts-expect-error: no such option
defineView({ ...other, on: {}, fliter: () => true })
// @ts-expect-error: no such policy
defineView({ ...other, on: {}, unknown: 'ignore' })
// @ts-expect-error: no such window
defineView({ ...other, on: {}, window: { every: 'fortnight', allowedLateness: '1 day' } })
// @ts-expect-error: a duration has a unit
defineView({ ...other, on: {}, window: { every: '10', allowedLateness: '1 day' } })
// @ts-expect-error: it must be said how late is too late
defineView({ ...other, on: {}, window: { every: 'day' } })
// @ts-expect-error: no such policy
defineView({ ...other, on: {}, window: { every: 'day', allowedLateness: '1 day', late: 'drop' } })
// @ts-expect-error: no such field
defineView({ ...other, on: {}, window: { every: 'day', allowedLateness: '1 day', measure: (e) => e.nope } })
// @ts-expect-error: a measure is a number
defineView({ ...other, on: {}, window: { every: 'day', allowedLateness: '1 day', measure: (e) => e.note } })
// @ts-expect-error: without key columns there is nothing for by to give
defineView({ ...other, on: {}, window: { every: 'day', allowedLateness: '1 day' }, keyBy: (e) => ({ key: e.key }) })
defineView({
  ...other,
  on: {},
  window: { every: 'day', allowedLateness: '1 day' },
  key: { path: string() },
  // @ts-expect-error: by gives the declared columns, the window is found
  keyBy: () => ({ window: 1 }),
})

const typed = defineLog({
  name: 'typed',
  files: 'x',
  columns: { id: int64('a'), key: int64('k'), type: 't', sequence: 's', occurredAt: 'o' },
  types: ['A', 'B'],
  timeUnit: 'ns',
})
same<EventOf<typeof typed>['type'], 'A' | 'B'>(true)
same<EventOf<typeof typed>['id'], number>(true)
defineLog({
  name: 'ties',
  files: 'x',
  columns: { id: 'a', type: 't' },
  types: ['A', 'B'],
  fields: { line: int64() },
  tieBreak: ['line', 'key', { types: ['B', 'A'] }],
})
defineLog({
  name: 'ties',
  files: 'x',
  columns: { id: 'a' },
  tieBreak: { types: ['Any', 'Other'] },
  sequenceScope: 'log',
})
defineLog({
  name: 'ties',
  files: 'x',
  columns: { id: 'a', type: 't' },
  types: ['A', 'B'],
  // @ts-expect-error: the log has no type C
  tieBreak: { types: ['C'] },
})
// @ts-expect-error: the log has no field of this name
defineLog({ name: 'ties', files: 'x', columns: { id: 'a' }, fields: { line: int64() }, tieBreak: 'lines' })
// @ts-expect-error: nor in a list
defineLog({ name: 'ties', files: 'x', columns: { id: 'a' }, fields: { line: int64() }, tieBreak: ['line', 'lines'] })
// @ts-expect-error: a sequence counts through a stream or the log
defineLog({ name: 'ties', files: 'x', columns: { id: 'a', sequence: 's' }, sequenceScope: 'partition' })
same<EventOf<typeof typed>['key'], number>(true)
same<EventOf<typeof typed>['sequence'], number>(true)
same<EventOf<typeof typed>['occurredAt'], bigint>(true)
export const counts = defineView({
  name: 'counts',
  log: typed,
  state: { a: int64(), at: timestamp('ns') },
  on: {
    A: (state, e) => {
      state.at = e.occurredAt
      // @ts-expect-error: nanoseconds are a bigint
      state.a = e.occurredAt
    },
    // @ts-expect-error: the log has no such type
    C: () => {},
  },
})
export const hourly = defineView({
  name: 'hourly',
  log: typed,
  window: { name: 'hour', every: 'hour', allowedLateness: '1 day' },
  state: { at: timestamp('ns') },
  on: {
    A: (state, e, key) => {
      same<typeof key, Readonly<{ hour: bigint }>>(true)
      state.at = e.occurredAt - key.hour
    },
  },
})
export const weekly = defineView({
  name: 'weekly',
  log: typed,
  window: { every: '2 weeks', allowedLateness: '1 day' },
  state: { days: int32() },
  on: {
    B: (state, _e, key) => {
      same<typeof key, Readonly<{ window: number }>>(true)
      state.days = key.window
    },
  },
})

const orders = defineLog({
  name: 'orders',
  files: 'x',
  columns: { id: 'id', key: 'order_id', type: 'type', recordedAt: 'r', occurredAt: 'o' },
  fields: { total: int64(), note: nullable(string()) },
  types: ['Placed', 'Shipped'],
})
const payments = defineLog({
  name: 'payments',
  files: 'x',
  columns: { id: int64('id'), key: 'order_id', type: 'type', recordedAt: 'r', occurredAt: 'o' },
  fields: { total: string(), amount: int64() },
})
export const status = defineView({
  name: 'status',
  logs: [orders, payments],
  state: { ordered: int64(), paid: int64() },
  on: {
    orders: {
      Placed: (order, e, key) => {
        same<typeof e.total, number>(true)
        same<typeof e.type, 'Placed' | 'Shipped'>(true)
        same<typeof key.key, string | number | bigint>(true)
        order.ordered += e.total
        // @ts-expect-error: a field of the other log
        order.paid += e.amount
        // @ts-expect-error: no such state
        order.payed = 1
      },
      // @ts-expect-error: the log has no such type
      Returned: () => {},
    },
    payments: {
      '*': (order, e) => {
        same<typeof e.total, string>(true)
        same<typeof e.id, number>(true)
        order.paid += e.amount
        // @ts-expect-error: a field of the other log
        order.ordered = e.note
      },
    },
  },
})
export const byDay = defineView({
  name: 'by-day',
  logs: [orders, payments],
  window: { name: 'day', every: 'day', allowedLateness: '7 days', measure: { payments: (e) => e.amount } },
  key: { order: string() },
  keyBy: { orders: (e) => ({ order: e.key }), payments: (e) => (e.amount === 0 ? null : [{ order: e.key }]) },
  filter: { orders: (e) => e.total > 0 },
  state: { events: int64() },
  on: {
    orders: {
      Shipped: (state, _e, key) => {
        same<typeof key, Readonly<{ day: number; order: string }>>(true)
        state.events++
      },
    },
  },
  row: (state, key) => ({ events: state.events + key.day }),
})
const statusRows = defineLog({ view: status })
same<EventOf<typeof statusRows>['paid'], number>(true)
same<EventOf<typeof statusRows>['key'], string>(true)
const both = { name: 'both', logs: [orders, payments], state: { count: int64() } } as const
// @ts-expect-error: log and logs exclude each other
defineView({ ...both, log: orders, on: {} })
// @ts-expect-error: the key is a string
defineView({ ...both, key: { order: string() }, keyBy: { payments: (e) => ({ order: e.amount }) }, on: {} })
// @ts-expect-error: the view reads no such log
defineView({ ...both, filter: { shipments: () => true }, on: {} })
// @ts-expect-error: a filter says yes or no
defineView({ ...both, filter: { orders: (e) => e.total }, on: {} })
const daily7 = { every: 'day', allowedLateness: '7 days' } as const
// @ts-expect-error: a field of the other log
defineView({ ...both, on: {}, window: { ...daily7, measure: { orders: (e) => e.amount } } })
// @ts-expect-error: the view reads no such log
defineView({ ...both, on: { shipments: {} } })
// @ts-expect-error: of several logs handlers are given by log
defineView({ ...both, on: { Placed: () => {} } })

export default defineJob({
  views: [balances, daily, tree, windowed, windowAlone, counts, hourly, weekly, status, byDay],
  schedule: '0 2 * * *',
})
// @ts-expect-error: a log is no view
defineJob({ views: [ledger] })

const parts = defineLog({
  name: 'parts',
  files: '*.parquet',
  columns: { id: ['day', int64('no'), bool('open')], key: date('day') },
})
// @ts-expect-error: an id of several columns has no single value
same<EventOf<typeof parts>['id'], unknown>(true)
same<EventOf<typeof parts>['key'], number>(true)
// @ts-expect-error: a part of an id is a column or a declared type
defineLog({ name: 'parts', files: '*.parquet', columns: { id: ['day', 7] } })
