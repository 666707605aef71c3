import { isPresent } from '../model/column.ts'
import { describePlace, type Place } from '../model/errors.ts'
import { dateText } from '../model/moment-text.ts'
import type { LogPlan, Plan, RowGroupPlan } from '../model/plan.ts'
import { type OpenFile, openInTurn } from '../parquet/open-in-turn.ts'
import { readBatch } from '../scan/batch.ts'
import { eventPlace } from '../scan/places.ts'
import type { Store } from '../storage/store.ts'
import { formatElapsed } from '../time/duration.ts'
import type { MapResult } from './map-split.ts'
import type { LogTimeline } from './timelines.ts'
import { momentsOf } from './windows.ts'

/** Events that a note names; of more, their number. */
const NAMED_MAX = 3

/** An event of a clock that is ahead, and when that clock says it was recorded. */
interface AheadEvent {
  readonly place: Place
  readonly recordedAt: bigint
}

/** A sentence for each log with events of clocks that are ahead, which names them. */
export function aheadNotes(
  plan: Plan,
  mapped: readonly (readonly MapResult[])[],
  timelines: readonly LogTimeline[],
  files: Store,
): string[] {
  return plan.logs.flatMap((log, index) => {
    const { ahead } = timelines[index]!
    if (ahead === null) return []
    const splits = mapped[index]!.flatMap(({ recorded }, split) => {
      const runs = [...recorded.values()].flat()
      return runs.some(({ min }) => min > ahead.end) ? [split] : []
    })
    const found = openInTurn(files, (open) => findAhead(log, splits, ahead.end, open))
    return [describeAhead(log, ahead, found)]
  })
}

/** The first events that were recorded after the end of what isn't ahead, in the order of the files. */
export function findAhead(log: LogPlan, splits: Iterable<number>, end: bigint, open: OpenFile): AheadEvent[] {
  const found: AheadEvent[] = []
  const slot = log.roles.recordedAt
  for (const split of splits) {
    const { file, rowGroups } = log.splits[split]!
    for (const rowGroup of rowGroups) {
      if (!mayBeAhead(rowGroup, end)) continue
      const batch = readBatch(log, log.files[file]!, open, rowGroup.index, new Set([slot]))
      const column = momentsOf(batch, slot)
      for (let row = 0; row < column.length; row++) {
        const recordedAt = column.values[row]!
        const isKnown = isPresent(column, row) && (log.knownAt === null || recordedAt <= log.knownAt)
        if (!isKnown || recordedAt <= end) continue
        found.push({ place: eventPlace(batch, row), recordedAt })
        if (found.length === NAMED_MAX) return found
      }
    }
  }
  return found
}

function mayBeAhead({ recorded }: RowGroupPlan, end: bigint): boolean {
  return recorded === 'unread' || (recorded !== null && recorded.max > end)
}

export function describeAhead(
  { name, timeUnit, maxClockSkew }: LogPlan,
  { events, end }: { readonly events: number; readonly end: bigint },
  found: readonly AheadEvent[],
): string {
  const named = found.map(({ place, recordedAt }) => `${describePlace(place)}, at ${dateText(recordedAt, timeUnit)}`)
  const more = events > found.length ? `; and ${events - found.length} more` : ''
  const [were, They] = events === 1 ? ['1 event was', 'It counts'] : [`${events} events were`, 'They count']
  return (
    `Log ${name}: ${were} recorded more than ${formatElapsed(maxClockSkew, timeUnit)} after all before, as by a clock that is ahead: ` +
    `${named.join('; ')}${more}. ${They} in views, but not for the watermark: what is known ends at ${dateText(end, timeUnit)}. ` +
    'If the log was silent for so long, declare a longer maxClockSkew on it.'
  )
}
