import type { Counters } from '../../src/model/report.ts'
import { type LogView, type MergedView, sharesOf } from '../../src/model/view.ts'
import {
  applyVersion,
  compare,
  compareAll,
  type Entry,
  findingOf,
  inOrderOf,
  meetsOtherStreams,
  type Outcome,
  orderOf,
  type PlainEvent,
  refuseConflicts,
  rowsOf,
  upcast,
  type Value,
  valuesOf,
} from './naive.ts'

/**
 * The law of a view of several logs as plainly as it can be said: what each log has, each event once; by when it was recorded, then by
 * log, then by the order of that log.
 *
 * @param logs Events by the log's name.
 */
export function foldTogether(view: MergedView, logs: Readonly<Record<string, readonly PlainEvent[]>>) {
  const shares = sharesOf(view)
  const counters = { read: 0, applied: 0, filtered: 0, duplicate: 0, late: 0, quarantined: 0 }
  const placeOf = new Map<PlainEvent, number>()
  const outcomes = shares.map((share, place) => {
    const events = logs[share.log.name]!
    refuseConflicts(events)
    const unique = [...new Map(events.map((event) => [event.id, event])).values()]
    counters.read += events.length
    counters.duplicate += events.length - unique.length
    for (const version of unique.flatMap((event) => upcast(share, event))) placeOf.set({ ...version }, place)
    return new Map(unique.map((event): [PlainEvent['id'], Outcome[]] => [event.id, []]))
  })
  const orders = shares.map(inOrderOf)
  const across = (version: PlainEvent) => [version['recordedAt'], placeOf.get(version)]
  const sorted = [...placeOf.keys()].sort((a, b) => compareAll(across(a), across(b)) || orders[placeOf.get(a)!]!(a, b))
  const keys = new Map<string, Entry>()
  for (const version of sorted) {
    const place = placeOf.get(version)!
    outcomes[place]!.get(version.id)!.push(...applyVersion(shares[place]!, version, keys))
  }
  const quarantined: string[] = []
  for (const [place, found] of outcomes.entries()) {
    for (const [id, each] of found) {
      const outcome = each.includes('quarantined') ? 'quarantined' : each.includes('applied') ? 'applied' : 'filtered'
      counters[outcome]++
      if (outcome === 'quarantined') quarantined.push(`${shares[place]!.log.name} ${id}`)
    }
  }
  const [first] = shares as [LogView, ...LogView[]]
  const entries = [...keys.values()].sort((a, b) => compareAll(valuesOf(first, a.key), valuesOf(first, b.key)))
  const rows = entries.flatMap(({ key, state }) => (state === null ? [] : rowsOf(first, key, state)))
  return { rows, counters: counters satisfies Counters, quarantined, order: orderFindings(view, entries, placeOf) }
}

/** Events of two logs are never tied, as the order of the logs is declared. */
function orderFindings(view: MergedView, entries: readonly Entry[], placeOf: ReadonlyMap<PlainEvent, number>) {
  if (view.orderFree || view.merge !== undefined) return null
  const shares = sharesOf(view)
  const isTie = (event: PlainEvent, before: PlainEvent) => {
    const place = placeOf.get(event)!
    if (placeOf.get(before) !== place || event['recordedAt'] !== before['recordedAt']) return false
    const decides = ({ of }: ReturnType<typeof orderOf>[number]) =>
      compare(of(event) as Value, of(before) as Value) !== 0
    return orderOf(shares[place]!).find(decides)?.isDeclared === false
  }
  const ties = entries.map(({ key, given }) => ({
    key,
    found: given.flatMap((event, i) => (i > 0 && isTie(event, given[i - 1]!) ? [[given[i - 1]!.id, event.id]] : [])),
  }))
  const against = entries.map(({ key, given }) => ({
    key,
    found: given.flatMap((event, i) => {
      const holder = largerBefore(shares, given.slice(0, i), event, placeOf)
      return holder === undefined ? [] : [[holder.id, event.id]]
    }),
  }))
  return { ties: findingOf(ties), againstSequence: findingOf(against) }
}

/** The event of the same stream of the same log that has the largest sequence, where it came before one with a smaller. */
function largerBefore(
  shares: readonly LogView[],
  earlier: readonly PlainEvent[],
  event: PlainEvent,
  placeOf: ReadonlyMap<PlainEvent, number>,
): PlainEvent | undefined {
  const place = placeOf.get(event)!
  const share = shares[place]!
  const order: readonly string[] | undefined = share.log.order
  if (share.log.columns.sequence === undefined || !(order?.includes('sequence') ?? true)) return undefined
  const isOneStream = order !== undefined || !meetsOtherStreams(share)
  const own = earlier.filter((other) => placeOf.get(other) === place && (isOneStream || other['key'] === event['key']))
  const largest = Math.max(...own.map(({ sequence }) => sequence as number))
  return largest > (event['sequence'] as number) ? own.findLast(({ sequence }) => sequence === largest) : undefined
}
