import { pathToFileURL } from 'node:url'
import { writeBeside } from '../job/bundle.ts'
import type { LoadedJob } from '../job/load.ts'
import type { LogPlan } from '../model/plan.ts'
import { bigint, int64, json } from '../model/types.ts'
import { type JobDefinition, type LogView, sharesOf, type ViewDefinition } from '../model/view.ts'

/** Ids that are kept for a key; all events are counted. */
const idsMax = 20

interface EventsState {
  events: number
  first: BehindEvent[]
}

/** An event behind a change. Moments are digits, in the log's unit; null where the log doesn't say. */
export interface BehindEvent {
  /** Of which of the view's logs it is. */
  readonly member: number
  /** Its parts. */
  readonly id: readonly string[]
  readonly recordedAt: string | null
  readonly occurredAt: string | null
}

/** How an event's id is read: the names of its parts, and the column of one that a number may not hold. */
export interface IdNames {
  readonly names: readonly string[]
  readonly wide: string | null
}

type AnyEvent = Readonly<Record<string, unknown>>

/**
 * A job of one view which, instead of folding events, lists them: by the same keys, of the same types, through the same
 * filter. Where it is rebuilt over the events that came later, it shows which events caused a changed figure. What
 * worker threads load.
 */
export function eventsView(job: JobDefinition, name: string, ids: readonly IdNames[]): JobDefinition {
  const view = job.views.find((candidate) => candidate.name === name)!
  const common = {
    state: () => ({ events: 0, first: [] }),
    // In the order of the view's events, so that the first ids are the same however the logs are split.
    orderFree: false,
    merge: undefined,
    columns: { events: int64(), first: json() },
    row: (({ events, first }: EventsState) => ({ events, first })) as unknown as NonNullable<ViewDefinition['row']>,
  }
  const shares = sharesOf(view).map((share, member) => listingShare(share, member, ids[member]!))
  const only = shares[0]!
  const listing: ViewDefinition =
    view.logs === undefined
      ? { ...view, ...common, ...only }
      : {
          ...view,
          ...common,
          logs: shares.map(({ log }) => log),
          on: Object.fromEntries(shares.map(({ log, on }) => [log.name, on])),
        }
  return { ...job, views: [listing] }
}

type ListingShare = Pick<LogView, 'log' | 'on'>

/** What lists the events of one log. */
function listingShare({ log, on }: LogView, member: number, { names, wide }: IdNames): ListingShare {
  const note = (state: EventsState, event: AnyEvent): void => {
    state.events++
    if (state.first.length === idsMax) return
    state.first.push({
      member,
      id: names.map((part) => String(event[part])),
      recordedAt: momentOf(event, 'recordedAt', log.columns.recordedAt),
      occurredAt: momentOf(event, 'occurredAt', log.columns.occurredAt),
    })
  }
  const handled = Object.keys(on).filter((type) => on[type] !== undefined)
  return {
    log: wide === null ? log : { ...log, columns: { ...log.columns, id: bigint(wide) } },
    on: Object.fromEntries(handled.map((type) => [type, note as LogView['on'][string]])),
  }
}

/** As digits: a bigint is nothing in JSON. Null for one that no number holds, as the microseconds of the year 9999. */
function momentOf(event: AnyEvent, role: string, declared: unknown): string | null {
  if (declared === undefined) return null
  try {
    const value = event[role]
    return value === null || value === undefined ? null : String(value)
  } catch {
    // A sentinel says nothing of a lag.
    return null
  }
}

/** The same as a job that can be rebuilt, by threads too: they load a module that takes the job's own bundle along. */
export function eventsJob(job: LoadedJob, view: string, logs: readonly LogPlan[]): LoadedJob {
  const ids = logs.map(idNames)
  const listing = {
    ...job,
    definition: eventsView(job.definition, view, ids),
    fingerprints: new Map([[view, 'a list of events']]),
    // The job it is made of is disposed of by who loaded it.
    dispose: () => {},
  }
  if (job.bundlePath === undefined) return listing
  const bundlePath = writeBeside(
    job.bundlePath,
    `events-of-${view}.mjs`,
    `import whole from ${JSON.stringify(pathToFileURL(job.bundlePath).href)}\n` +
      // As `exportsOf`.
      'const job = whole.__esModule === true ? whole.default : whole\n' +
      `import { eventsView } from ${JSON.stringify(import.meta.url)}\n` +
      `export default eventsView(job, ${JSON.stringify(view)}, ${JSON.stringify(ids)})\n`,
  )
  return { ...listing, bundlePath }
}

function idNames({ slots, roles }: LogPlan): IdNames {
  const parts = roles.id.map((slot) => slots[slot]!)
  const [only] = parts
  const isWide = parts.length === 1 && only!.storage === 'i64' && only!.type.kind === 'int64'
  const wide = isWide && typeof only!.type.from === 'string' ? only!.type.from : null
  return { names: parts.map(({ name }) => name), wide }
}
