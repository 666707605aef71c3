import type { RowPlace } from '../compare/batch.ts'
import { cellJson } from '../compare/cell-json.ts'
import type { ComparedGeneration } from '../compare/stream.ts'
import { RefoldError } from '../model/errors.ts'
import { idColumnText, joinId } from '../model/event-id.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Type } from '../model/type.ts'
import type { BehindEvent } from '../scenario/events-view.ts'
import type { Disk, Store } from '../storage/store.ts'
import type { Cause, Step } from './chain.ts'
import type { EarlierGeneration, Past } from './earlier.ts'
import { type ChangedFigure, type ChangedRow, changedRows, figureIn, rowIn } from './figures.ts'
import type { Notice } from './notices.ts'
import { type CauseEvents, findEvents, findSteps, type Inquiry, mayBeCorrected } from './scenarios.ts'
import { type Built, type Published, situationOf } from './situation.ts'
import type { PublishedWindows } from './windows.ts'

/** Everything that a changed figure is looked up in, besides the two generations. */
interface Evidence {
  readonly steps: readonly Step[]
  readonly events: readonly CauseEvents[]
  /** From the one before the published on, back in time. */
  readonly earlier: readonly EarlierGeneration[]
  readonly published: EarlierGeneration
  readonly isPublished: PublishedWindows
  /** Why something could not be determined. */
  readonly detail: string | null
}

/** What is reported of the changes of a view. */
export interface Explained {
  /** The notices of all changed figures, from one walk through the changes. */
  notices(past: Past): Iterable<Notice>
  /** Why causes, or the events behind the changes, could not be determined; null where they could. */
  readonly detail: string | null
}

/** Builds what is needed to distinguish the causes of changed figures. */
export async function explain(inquiry: Inquiry, files: Disk): Promise<Explained> {
  const { built, published } = inquiry
  const situation = situationOf(published, built, files)
  const differs = {
    'upstream correction': await mayBeCorrected(inquiry, situation, files),
    'late data': !situation.nothingNew,
    'changed logic': !situation.sameLogic,
    'changed options': !situation.sameAsOf || situation.knowsLess,
  }
  const problems: string[] = []
  const steps = await told(problems, [], () => findSteps(inquiry, situation, differs, files))
  const events = await told(problems, [], () => findEvents(inquiry, situation, differs, files))
  const detail = problems.length === 0 ? null : problems.join(' ')
  return {
    detail,
    notices({ generations, isPublished }) {
      const [own, ...earlier] = generations
      const evidence = { steps, events, published: own!, earlier, isPublished, detail }
      return noticesOf(published, built, evidence, files)
    },
  }
}

/** What can't be determined, for example because old logic no longer runs, is noted in the notices; the rebuild still publishes. */
async function told<T>(problems: string[], otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RefoldError)) throw error
    problems.push(error.message)
    return otherwise
  }
}

function* noticesOf(
  { folder, manifest }: Published,
  built: Built,
  evidence: Evidence,
  files: Store,
): Generator<Notice> {
  const between = evidence.steps.slice(0, -1).map(({ generation }) => generation)
  const { events, earlier } = evidence
  const others = [...between, ...events.map(({ generation }) => generation), ...earlier]
  const keyColumns = built.key.length
  for (const row of changedRows({ ...manifest, folder }, built, others, evidence.isPublished, files)) {
    const at = (index: number) => rowIn(row, row.others[index]!, keyColumns)
    const status = figureIn(row.before, manifest.columns, keyColumns, 'status')
    const rows: RowEvidence = {
      wasFinal: status === null ? null : status === '"final"',
      steps: between.map((_, index) => at(index)),
      events: events.map(({ generation }, index) => {
        const stream = row.others[between.length + index]!
        // The events of a key are listed in one row.
        return listedEvents(rowIn({ ...row, ordinal: 0 }, stream, keyColumns), generation, built.logs)
      }),
      earlier: earlier.map((_, index) => at(between.length + events.length + index)),
    }
    for (const figure of row.figures) yield noticeOf(row, figure, rows, evidence, keyColumns)
  }
}

/** A changed row as the generations beside the two have it. */
interface RowEvidence {
  /** As it was published; null where it doesn't say. */
  readonly wasFinal: boolean | null
  readonly steps: readonly (RowPlace | null)[]
  readonly events: readonly ListedEvents[]
  readonly earlier: readonly (RowPlace | null)[]
}

function noticeOf(
  row: ChangedRow,
  figure: ChangedFigure,
  rows: RowEvidence,
  { steps, events, earlier, published, detail }: Evidence,
  keyColumns: number,
): Notice {
  const taken = changesAt(figure, steps, rows.steps, keyColumns)
  // Where the causes are not known, the events that came late are listed.
  const isBehind = (cause: Cause) =>
    taken.length === 0 ? cause === 'late data' : taken.some((step) => step.cause === cause)
  const behind = rows.events.filter((_, index) => isBehind(events[index]!.cause))
  const first = firstWith(figure, earlier, rows.earlier, keyColumns) ?? published
  return {
    key: row.key,
    row: row.ordinal,
    column: figure.column,
    change: row.change,
    old: figure.old,
    new: figure.new,
    cause: taken.map(({ cause }) => cause).join(' + ') || 'undetermined',
    steps: `[${taken.map((step) => `{"cause":"${step.cause}","old":${step.old},"new":${step.new}}`).join(',')}]`,
    detail,
    wasFinal: rows.wasFinal,
    firstGeneration: first.generation,
    firstPublishedAt: first.publishedAt,
    events: behind.reduce((sum, one) => sum + one.events, 0),
    behind: `[${behind.flatMap((one) => one.first).join(',')}]`,
  }
}

interface TakenStep {
  readonly cause: Cause
  readonly old: string | null
  readonly new: string | null
}

/** The steps at which a figure changes. */
function changesAt(
  figure: ChangedFigure,
  steps: readonly Step[],
  places: readonly (RowPlace | null)[],
  keyColumns: number,
): TakenStep[] {
  let old = figure.old
  const taken: TakenStep[] = []
  for (const [index, { cause, generation }] of steps.entries()) {
    const isLast = index === steps.length - 1
    const value = isLast ? figure.new : figureIn(places[index]!, generation.columns, keyColumns, figure.column)
    if (value !== old) taken.push({ cause, old, new: value })
    old = value
  }
  return taken
}

/** The oldest of the generations, back from the published one, that have the old figure without a gap. */
function firstWith(
  { column, old }: ChangedFigure,
  earlier: readonly EarlierGeneration[],
  places: readonly (RowPlace | null)[],
  keyColumns: number,
): EarlierGeneration | undefined {
  const other = earlier.findIndex(({ columns }, index) => figureIn(places[index]!, columns, keyColumns, column) !== old)
  return earlier[(other < 0 ? earlier.length : other) - 1]
}

interface ListedEvents {
  readonly events: number
  /** JSON texts. */
  readonly first: readonly string[]
}

const stepsASecond = { ms: 1000, us: 1e6, ns: 1e9 } as const

function listedEvents(
  place: RowPlace | null,
  { columns, key }: ComparedGeneration,
  logs: readonly LogPlan[],
): ListedEvents {
  if (place === null) return { events: 0, first: [] }
  const [events, first] = columns.map((column, index) => cellJson(place, key.length + index, column))
  return {
    events: Number(events),
    first: (JSON.parse(first!) as BehindEvent[]).map(({ member, id, recordedAt, occurredAt }) => {
      const { name, timeUnit, roles, slots } = logs[member]!
      const lag = recordedAt === null || occurredAt === null ? null : BigInt(recordedAt) - BigInt(occurredAt)
      return JSON.stringify({
        ...(logs.length > 1 && { log: name }),
        id: joinId(id.map((part, index) => idText(slots[roles.id[index]!]!.type, part))),
        recordedAt: recordedAt === null ? null : formatMoment(BigInt(recordedAt), timeUnit),
        lagSeconds: lag === null ? null : Number(lag) / stepsASecond[timeUnit],
      })
    }),
  }
}

/** @param part As `BehindEvent` has it: days and moments are digits there. */
function idText(type: Type, part: string): string {
  return idColumnText(type, type.kind === 'date' || type.kind === 'timestamp' ? BigInt(part) : part)
}
