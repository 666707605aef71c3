import {
  bigint,
  bool,
  date,
  dayOf,
  decimal,
  defineLog,
  defineView,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
} from 'refold'
import type { TieBreak } from '../../src/model/log.ts'
import type { LogView } from '../../src/model/view.ts'

/** What may differ between two logs of the same events. */
export interface LogOptions {
  readonly files: string
  readonly typed: boolean
  readonly sequenced: boolean
  /** The id is two columns. */
  readonly composite: boolean
  readonly uniqueIds: boolean
  /** Old event types are upcast. */
  readonly upcasts: boolean
  /** Events are ordered by what ties often. */
  readonly looseOrder: boolean
  /** Default: of streams. */
  readonly scope?: 'stream' | 'log'
  /** What decides between events that are equal in all else. */
  readonly tieBreak?: readonly TieBreak[]
}

/** The columns of the log's files, as `writeRows` takes them. */
export const everyColumn = {
  source: string(),
  number: int64(),
  key: string(),
  type: string(),
  happened: timestamp('us'),
  recorded: timestamp('us'),
  seq: int64(),
  small: int32(),
  amount: int64(),
  big: bigint(),
  money: decimal(12, 2),
  ratio: float64(),
  flag: bool(),
  text: string(),
  seconds: timestamp('ms'),
  precise: timestamp('ns'),
  day: date(),
  document: nullable(json()),
  maybe_small: nullable(int32()),
  maybe_amount: nullable(int64()),
  maybe_ratio: nullable(float64()),
  maybe_flag: nullable(bool()),
  maybe_text: nullable(string()),
  maybe_day: nullable(date()),
  payload: json(),
}

function everyLog(options: LogOptions) {
  const {
    files,
    typed,
    sequenced,
    composite,
    uniqueIds,
    upcasts,
    looseOrder,
    scope = 'stream',
    tieBreak = [],
  } = options
  const log = defineLog({
    name: 'events',
    files,
    // Files that DuckDB writes hold local times.
    zone: 'UTC',
    columns: {
      id: composite ? ['source', 'number'] : 'number',
      key: 'key',
      type: 'type',
      occurredAt: 'happened',
      recordedAt: 'recorded',
    },
    uniqueIds,
    fields: {
      small: int32(),
      amount: int64(),
      big: bigint(),
      money: decimal(12, 2),
      ratio: float64(),
      flag: bool(),
      text: string(),
      seconds: timestamp('ms'),
      precise: timestamp('ns'),
      day: date(),
      document: nullable(json<{ readonly a?: number }>()),
      maybeSmall: nullable(int32('maybe_small')),
      maybeAmount: nullable(int64('maybe_amount')),
      maybeRatio: nullable(float64('maybe_ratio')),
      maybeFlag: nullable(bool('maybe_flag')),
      maybeText: nullable(string('maybe_text')),
      maybeDay: nullable(date('maybe_day')),
      city: nullable(string('payload.address.city', { optional: true })),
      points: nullable(int64('payload.points', { optional: true })),
      absent: int64('not_there', { whenMissing: 7 }),
      price: decimal(8, 2, 'not_there', { whenMissing: 150 }),
    },
    upcast: !upcasts
      ? {}
      : {
          Renamed: (e) => ({ type: 'Added', amount: e.amount + 1, text: e.maybeText ?? 'none' }),
          Split: (e) => [
            { type: 'Added', maybeText: null, city: null },
            { type: 'Removed', amount: -e.amount, points: 3 },
          ],
          Mixed: () => [{ type: 'Strange' }, { type: 'Added' }],
          Dropped: (e) => (e.flag ? null : { type: 'Odd' }),
        },
  })
  const { type: _, ...untyped } = log.columns
  const columns = { ...(typed ? log.columns : untyped), ...(sequenced ? { sequence: 'seq' } : {}) }
  // What is taken away at run time is not what the types of the views below depend on.
  const order = looseOrder ? ['recordedAt'] : undefined
  const ties = tieBreak.filter((tie) => typed || typeof tie === 'string')
  const sequenceScope = sequenced ? scope : 'stream'
  return { ...log, columns, order, sequenceScope, tieBreak: ties } as unknown as typeof log
}

/** Views of every kind over one log of every kind of field. */
export function everyKind(options: LogOptions): LogView[] {
  const log = everyLog(options)
  const latest = defineView({
    name: 'latest',
    log,
    state: {
      events: int32(),
      small: int32(),
      amount: int64(),
      big: bigint(),
      money: decimal(18, 2),
      ratio: float64(),
      flag: bool(),
      text: string(undefined, { initial: 'none yet' }),
      seconds: timestamp('ms'),
      precise: timestamp('ns'),
      day: date(),
      happened: timestamp(),
      recorded: timestamp(),
      document: nullable(json<{ readonly a?: number }>()),
      numbers: json<number[]>(undefined, { initial: [] }),
      maybeSmall: nullable(int32()),
      maybeAmount: nullable(int64(undefined, { initial: 5 })),
      maybeRatio: nullable(float64()),
      maybeFlag: nullable(bool()),
      maybeText: nullable(string()),
      maybeDay: nullable(date()),
      maybePrecise: nullable(timestamp('ns')),
      city: nullable(string()),
      points: nullable(int64()),
      types: string(),
    },
    on: {
      Added: (s, e) => {
        s.events++
        s.small = e.small
        s.amount += e.amount
        s.big = e.big
        s.money += e.money + e.price + e.absent
        s.ratio += e.ratio
        s.flag = !s.flag
        s.text = e.text
        s.maybeText = e.maybeText
        s.numbers.push(e.small)
        s.types += e.type[0]
      },
      '*': (s, e, key) => {
        s.events++
        s.seconds = e.seconds
        s.precise = e.precise
        s.day = e.day
        s.happened = e.occurredAt
        s.recorded = e.recordedAt
        s.document = e.document
        s.maybeSmall = e.maybeSmall
        s.maybeAmount = e.maybeAmount
        s.maybeRatio = e.maybeRatio
        s.maybeFlag = e.maybeFlag
        s.maybeDay = e.maybeDay
        s.maybePrecise = e.flag ? e.precise : null
        s.city = e.city
        s.points = e.points
        s.types += e.type[0]
        if (key.key !== e.key) throw new Error('the key of the event is not the key of the state')
      },
    },
  })
  const sums = defineView({
    name: 'sums',
    log,
    orderFree: true,
    state: { count: int64(), total: int64(), largest: bigint() },
    on: {
      Added: (s, e) => {
        s.count++
        s.total += e.amount
        if (e.big > s.largest) s.largest = e.big
      },
      Removed: (s, { amount }) => {
        s.total -= amount
      },
    },
  })
  const daily = defineView({
    name: 'daily',
    log,
    key: { day: date(), type: string(), city: nullable(string()), flag: bool() },
    keyBy: (e) => ({ flag: e.flag, day: dayOf(e.occurredAt), type: e.type, city: e.city }),
    state: {
      count: int32(),
      total: int64(),
      first: nullable(timestamp()),
      any: bool(),
      seen: json<number[]>(undefined, { initial: [] }),
    },
    on: {
      '*': (s, e, key) => {
        s.count += key.flag ? 1 : 2
        s.total += e.amount
        if (s.first === null || e.occurredAt < s.first) s.first = e.occurredAt
        s.any = s.any || e.maybeFlag === true
        s.seen = [...s.seen, e.small].sort((a, b) => a - b)
      },
    },
    merge: (into, from) => {
      into.count += from.count
      into.total += from.total
      if (into.first === null || (from.first !== null && from.first < into.first)) into.first = from.first
      into.any = into.any || from.any
      into.seen = [...into.seen, ...from.seen].sort((a, b) => a - b)
    },
  })
  const ratios = defineView({
    name: 'ratios',
    log,
    key: {
      money: decimal(12, 2),
      big: bigint(),
      precise: timestamp('ns'),
      ratio: float64(),
      maybeDay: nullable(date()),
      amount: int64(),
    },
    keyBy: (e) => {
      const { money, big, precise, ratio, maybeDay, amount } = e
      return { money, big, precise, ratio, maybeDay, amount }
    },
    state: { sum: float64(), count: int32() },
    on: {
      '*': (s, e) => {
        s.sum += e.maybeRatio ?? 0.1
        s.count++
      },
    },
    // Not used: sums of floating-point numbers depend on their order.
    merge: (into, from) => {
      into.sum += from.sum
      into.count += from.count
    },
  })
  const trail = defineView({
    name: 'trail',
    log,
    key: { place: string() },
    keyBy: (e) => (e.maybeText === null ? { place: e.text } : [{ place: e.maybeText }, { place: e.text }]),
    filter: (e) => e.small % 3 !== 0,
    unknown: 'quarantine',
    state: () => ({ steps: [] as { type: string; amount: number }[], visits: new Map<string, number>() }),
    on: {
      Added: (s, e, key) => {
        s.steps.push({ type: `${e.type} ${key.place}`, amount: e.amount })
        s.visits.set(e.key, (s.visits.get(e.key) ?? 0) + 1)
      },
      Removed: (s, e) => {
        if (e.flag) s.steps.length = 0
        else s.steps.push({ type: e.type, amount: -e.amount })
      },
      Event: (s, e) => {
        s.steps.push({ type: e.key, amount: e.seconds })
      },
    },
    columns: { step: int32(), what: string(), amount: int64(), visits: nullable(int32()), detail: json() },
    row: (s, key) =>
      s.steps.length === 0
        ? null
        : s.steps.map(({ type, amount }, step) => ({
            step,
            what: `${key.place}: ${type}`,
            amount,
            visits: s.visits.get(type) ?? null,
            detail: step === 0 ? null : { amount },
          })),
  })
  const fragile = defineView({
    name: 'fragile',
    log,
    key: { parity: int32(), group: nullable(int32()) },
    keyBy: (e) => [
      { parity: e.small & 1, group: e.maybeSmall },
      { parity: e.small & 1, group: 1 },
    ],
    onError: 'quarantine',
    state: { entries: int32(), last: string(), sum: int64() },
    on: {
      '*': (s, e, key) => {
        s.entries++
        s.last = e.type
        if (e.amount % 5 === 0 && key.group !== 1) throw new Error(`amount ${e.amount}`)
        s.sum += e.amount
        // Refused by the state itself: the sum of a key never goes below −300.
        if (s.sum < -300) s.sum = Number.NaN
      },
    },
  })
  const known = defineView({
    name: 'known',
    log,
    unknown: 'quarantine',
    onError: 'quarantine',
    state: { entries: int32() },
    on: {
      Added: (s) => {
        s.entries++
        if (s.entries % 4 === 0) throw new RangeError('every fourth')
      },
    },
    row: (s) => (s.entries === 2 ? null : { entries: s.entries }),
  })
  return [latest, sums, daily, ratios, trail, fragile, known]
}
