import { defineLog, defineView, int32, int64, json, nullable, string, timestamp } from 'refold'
import type { TieBreak } from '../../src/model/log.ts'
import type { LogView } from '../../src/model/view.ts'

/** The columns of the files of `timedViews`, as `writeRows` takes them. */
export const timedColumns = {
  number: int64(),
  key: string(),
  type: string(),
  happened: timestamp('us'),
  recorded: timestamp('us'),
  seq: int64(),
  amount: int64(),
}

export interface TimedOptions {
  readonly files: string
  readonly zone: string
  readonly idleTimeout: string
  /** Events are ordered by what is not the order they were recorded in. */
  readonly sequenced: boolean
  /** What decides between events that are equal in all else; with a view more, of late events. */
  readonly tieBreak?: readonly TieBreak[]
}

/** Views with windows of every kind, and some without. */
export function timedViews({ files, zone, idleTimeout, sequenced, tieBreak = [] }: TimedOptions): LogView[] {
  const columns = { id: 'number', key: 'key', type: 'type', occurredAt: 'happened', recordedAt: 'recorded' } as const
  const declared = defineLog({
    name: 'timed',
    files,
    columns: sequenced ? { ...columns, sequence: 'seq' } : columns,
    zone,
    idleTimeout,
    fields: { amount: int64() },
  })
  const log: typeof declared = { ...declared, tieBreak }
  const days = defineView({
    name: 'days',
    log,
    window: { name: 'day', every: 'day', allowedLateness: '1 day', late: 'apply', measure: (e) => e.amount },
    key: { type: string() },
    keyBy: (e) => ({ type: e.type }),
    state: { events: int32(), total: int64(), longest: string() },
    on: {
      '*': (s, e, key) => {
        s.events++
        s.total += e.amount + key.day - key.day
        if (e.key > s.longest) s.longest = e.key
      },
    },
    merge: (into, from) => {
      into.events += from.events
      into.total += from.total
      if (from.longest > into.longest) into.longest = from.longest
    },
  })
  const alone = defineView({
    name: 'alone',
    log,
    window: { every: 'day', zone: 'Asia/Taipei', allowedLateness: '12 hours', measure: (e) => e.amount / 2 },
    state: { events: int32(), smallest: nullable(int64()) },
    on: {
      Added: (s, e) => {
        s.events++
        s.smallest = Math.min(s.smallest ?? e.amount, e.amount)
      },
    },
    merge: (into, from) => {
      into.events += from.events
      if (from.smallest !== null) into.smallest = Math.min(into.smallest ?? from.smallest, from.smallest)
    },
  })
  const hours = defineView({
    name: 'hours',
    log,
    window: { every: '6 hours', allowedLateness: '5 hours' },
    state: { last: string(), trail: json<number[]>(undefined, { initial: [] }), maybe: nullable(int64()) },
    on: {
      Added: (s, e) => {
        s.last = e.key
        s.trail.push(e.amount)
      },
      Removed: (s, e) => {
        s.last += e.key
        s.maybe = e.amount
      },
    },
  })
  const weeks = defineView({
    name: 'weeks',
    log,
    window: { name: 'week', every: 'week', allowedLateness: '0 days' },
    key: { place: string() },
    keyBy: (e) => (e.key === '' ? null : [{ place: e.key }, { place: e.type }, { place: e.key }]),
    state: () => ({ seen: new Map<string, number>() }),
    on: {
      Added: (s, e) => {
        s.seen.set(e.key, (s.seen.get(e.key) ?? 0) + e.amount)
      },
      Removed: (s, e) => {
        s.seen.delete(e.key)
      },
    },
    columns: { name: string(), total: int64() },
    row: (s, key) => [...s.seen].map(([name, total]) => ({ name: `${name} in ${key.place}`, total })),
  })
  const steps = defineView({
    name: 'steps',
    log,
    window: { name: 'week', every: 'week', allowedLateness: '0 days', late: 'apply' },
    state: { path: string() },
    on: {
      '*': (s, e) => {
        s.path += `${e.type[0]}${e.key}${e.amount} `
      },
    },
  })
  const months = defineView({
    name: 'months',
    log,
    window: { name: 'month', every: 'month', allowedLateness: '2 days', late: 'apply' },
    filter: (e) => e.amount % 3 !== 0,
    orderFree: true,
    state: { total: int64() },
    on: {
      '*': (s, e) => {
        s.total += e.amount
      },
    },
    row: (s) => (s.total === 0 ? null : { total: s.total }),
  })
  const balances = defineView({
    name: 'balances',
    log,
    state: { balance: int64(), last: string() },
    on: {
      Added: (s, e) => {
        s.balance += e.amount
        s.last = e.type
      },
      Removed: (s, e) => {
        s.balance = Math.max(0, s.balance - e.amount)
        s.last = e.type
      },
    },
  })
  const guarded = defineView({
    name: 'guarded',
    log,
    onError: 'quarantine',
    state: { balance: int64() },
    on: {
      '*': (s, e) => {
        s.balance += e.amount
        if (s.balance < 0) throw new Error('overdrawn')
      },
    },
  })
  return [days, alone, hours, weeks, months, balances, guarded, ...(tieBreak.length === 0 ? [] : [steps])]
}
