import { bigint, bool, defineLog, defineView, float64, int32, int64, nullable, string, timestamp } from 'refold'
import type { TieBreak } from '../../src/model/log.ts'
import type { LogView } from '../../src/model/view.ts'

export interface PartitionedOptions {
  readonly files: string
  /** The key is a string, else an integer. */
  readonly textKey: boolean
  readonly sequenced: boolean
  readonly upcasts: boolean
  /** What decides between events that are equal in all else. */
  readonly tieBreak?: readonly TieBreak[]
}

/** Views that can be folded in place, over a log of `everyColumn` that keeps each key in one partition. */
export function partitionedViews({ files, textKey, sequenced, upcasts, tieBreak = [] }: PartitionedOptions): LogView[] {
  const declared = defineLog({
    name: 'events',
    files,
    partitionedByKey: true,
    columns: {
      id: 'number',
      key: 'key',
      type: 'type',
      occurredAt: 'happened',
      recordedAt: 'recorded',
    },
    fields: {
      small: int32(),
      amount: int64(),
      big: bigint(),
      ratio: float64(),
      flag: bool(),
      text: string(),
      precise: timestamp('ns'),
      maybeSmall: nullable(int32('maybe_small')),
      maybeText: nullable(string('maybe_text')),
    },
    upcast: !upcasts
      ? {}
      : {
          Renamed: (e) => ({ type: 'Added', amount: e.amount + 1, text: e.maybeText ?? 'none' }),
          Split: (e) => [
            { type: 'Added', maybeText: null },
            { type: 'Removed', amount: -e.amount },
          ],
          Dropped: (e) => (e.flag ? null : { type: 'Odd' }),
        },
  })
  const columns = {
    ...declared.columns,
    ...(textKey ? {} : { key: int32('maybe_small') }),
    ...(sequenced ? { sequence: 'seq' } : {}),
  }
  const log = { ...declared, columns, tieBreak } as typeof declared
  const path = defineView({
    name: 'path',
    log,
    state: {
      events: int32(),
      path: int64(),
      ratio: float64(),
      big: bigint(),
      flag: bool(),
      text: string(undefined, { initial: 'none yet' }),
      precise: timestamp('ns'),
      maybeSmall: nullable(int32()),
      maybeText: nullable(string()),
      last: nullable(timestamp()),
    },
    on: {
      Added: (s, e) => {
        s.events++
        s.path = (s.path * 31 + Math.abs(e.amount)) % 1_000_003
        s.ratio = s.ratio * 0.9 + e.ratio / 1e10
        s.big = e.big
        s.text = e.text
        s.maybeText = e.maybeText
      },
      '*': (s, e, key) => {
        s.events++
        s.path = (s.path * 37 + Math.abs(e.small)) % 1_000_003
        s.flag = !s.flag
        s.precise = e.precise
        s.maybeSmall = e.maybeSmall
        s.last = e.recordedAt
        if (key.key !== e.key) throw new Error('the key of the event is not the key of the state')
      },
    },
  })
  /** Refuses a key's events in any order but the log's; takes only some of the types. */
  const strict = defineView({
    name: 'strict',
    log,
    state: { latest: int64(undefined, { initial: Number.MIN_SAFE_INTEGER }), taken: int32() },
    on: {
      Removed: (s, e) => {
        if (e.recordedAt < s.latest) throw new Error(`event ${e.id} came too late`)
        s.latest = e.recordedAt
        s.taken++
      },
    },
  })
  const totals = defineView({
    name: 'totals',
    log,
    state: { count: int64(), total: int64(), smallest: nullable(int32()) },
    on: {
      '*': (s, e) => {
        s.count++
        s.total += e.amount
        if (s.smallest === null || e.small < s.smallest) s.smallest = e.small
      },
    },
    merge: (into, from) => {
      into.count += from.count
      into.total += from.total
      if (into.smallest === null || (from.smallest !== null && from.smallest < into.smallest)) {
        into.smallest = from.smallest
      }
    },
  })
  const chosen = defineView({
    name: 'chosen',
    log,
    filter: (e) => e.small % 3 !== 0,
    unknown: 'quarantine',
    state: { entries: int32(), path: int64() },
    on: {
      Added: (s, e) => {
        s.entries++
        s.path = (s.path * 31 + Math.abs(e.amount)) % 1_000_003
      },
      Odd: (s) => {
        s.path = (s.path * 41 + 1) % 1_000_003
      },
    },
    row: (s) => (s.entries === 1 ? null : { entries: s.entries, path: s.path }),
  })
  // Where the log has a sequence, that is its order, and moments may go back.
  return sequenced ? [path, totals, chosen] : [path, strict, totals, chosen]
}
