import { NO_HANDLER } from '../view/fold.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import { type ChosenRows, countDistinct, distinctEvents } from './chosen-rows.ts'
import type { Emission } from './emitted-rows.ts'
import type { MapTotals } from './totals.ts'
import { isKnownType } from './unknown-types.ts'
import type { BatchWindows, WindowReader } from './windows.ts'

/** The windows of a batch and what found them; null for views without windows. */
export interface Windowed {
  readonly reader: WindowReader
  readonly windows: BatchWindows
}

/**
 * Counts the outcomes of the chosen rows. An event is applied once to a view however many keys it has, or new events its
 * upcaster made of it; where any of those is refused, the event counts as quarantined.
 */
export function countApplied(
  group: PreparedGroup,
  chosen: ChosenRows,
  emission: Emission,
  windowed: Windowed | null,
  totals: MapTotals,
): void {
  const { batch, rows, types, codeOf } = chosen
  const events = countDistinct(rows, batch.origin)
  for (const view of group.views) {
    const counters = totals.counters[view.name]!
    const handled = (row: number) => view.handlerOf[codeOf[types.codes[row]!]!] !== NO_HANDLER
    const strange = (row: number) => !handled(row) && !isKnownType(group, types.names[types.codes[row]!]!)
    const refused = view.definition.unknown === 'quarantine' ? distinctEvents(rows, batch.origin, strange) : noEvents
    const counted =
      refused.size === 0 ? handled : (row: number) => handled(row) && !refused.has(batch.origin?.[row] ?? row)
    const eachOnce = !emission.hasMultiKeyRows && batch.origin === null && refused.size === 0
    const applied =
      eachOnce && (group.views.length === 1 || handlesAll(view, chosen))
        ? emission.count
        : countDistinct(emission.rows, batch.origin, counted)
    const late = windowed === null ? 0 : refuseLate({ view, windowed, counted, totals }, chosen, emission)
    counters.late += late
    counters.applied += applied - late
    counters.quarantined += refused.size
    counters.filtered += events - applied - refused.size
  }
}

const noEvents: ReadonlySet<number> = new Set()

function handlesAll(view: PreparedView, { types, codeOf }: ChosenRows): boolean {
  return types.names.every((_, code) => view.handlerOf[codeOf[code]!] !== NO_HANDLER)
}

interface LateRefusal {
  readonly view: PreparedView
  readonly windowed: Windowed
  /** Whether a row would count as applied if it were not late. */
  readonly counted: (row: number) => boolean
  readonly totals: MapTotals
}

/** Lists late events that are not applied, each once. @returns Their number. */
function refuseLate(
  { view, windowed: { reader, windows }, counted, totals }: LateRefusal,
  { batch, types }: ChosenRows,
  { rows }: Emission,
): number {
  const { late } = windows
  if (late === null || view.window!.late === 'apply') return 0
  let count = 0
  let last = -1
  for (const row of rows) {
    const event = batch.origin?.[row] ?? row
    if (late[row] === 0 || event === last || !counted(row)) continue
    last = event
    count++
    totals.exceptions[view.name]!.push({
      eventId: batch.eventIdAt(event),
      type: types.names[types.codes[row]!]!,
      reason: 'late',
      detail: reader.describeLate(batch, windows, row),
    })
  }
  return count
}
