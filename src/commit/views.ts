import { hostname, totalmem } from 'node:os'
import { basename, join, posix, resolve } from 'node:path'
import { keptLogic } from '../job/kept.ts'
import type { LoadedJob } from '../job/load.ts'
import type { MapResult } from '../map/map-split.ts'
import type { FoldTimeline, LogTimeline, Timelines } from '../map/timelines.ts'
import { ConfigurationError } from '../model/errors.ts'
import {
  type ManifestBody,
  type ManifestFile,
  type ManifestInput,
  type ManifestLogic,
  type ManifestProgress,
  type ManifestWindow,
  manifestColumn,
} from '../model/manifest.ts'
import { formatMoment } from '../model/moment-text.ts'
import { isOrderSensitive } from '../model/order.ts'
import { type FoldPlan, foldsOf, type LogPlan, type Plan } from '../model/plan.ts'
import type { Counters, ExceptionRow, RebuildOptions, RebuildReport, ViewReport } from '../model/report.ts'
import { type ViewDefinition, vintagesName } from '../model/view.ts'
import type { ReducedView } from '../reduce/all.ts'
import { newBudget, type ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Stages } from '../stages.ts'
import { keptLogicPath, namesIn, spillFolder } from '../storage/generations.ts'
import type { Disk, Store } from '../storage/store.ts'
import { isAbandoned } from '../storage/temporary.ts'
import { orderReport } from '../view/order-tally.ts'
import { keyFields, outputSchema, vintageColumn } from '../view/view-set.ts'
import { discard, type InstalledView, install, type StagedView, stage, switchAll, withdraw } from './commit.ts'
import { type EncodedExceptions, encodeDuplicates, encodeRefused, writeExceptions } from './exceptions.ts'
import { type Ownership, ownerName } from './owner.ts'
import { writeTriangle } from './triangle.ts'

/** The staging folders of all views of a rebuild. */
export interface StagedViews {
  readonly out: string
  readonly views: ReadonlyMap<string, StagedView>
  /** By view: the folder part files are written to. */
  readonly folders: Readonly<Record<string, string>>
  /** What may be kept in memory on the way, and the folder for the rest. */
  readonly budget: ShuffleBudget
}

export function stageAll(plan: Plan, options: RebuildOptions, threads: number, files: Disk): StagedViews {
  const { out } = options
  const spill = spillFolder(options.spillFolder ?? out)
  if (out === '') throw new ConfigurationError('Cannot write views: expected a folder as out, found an empty text.')
  if (options.spillFolder !== undefined && !files.exists(options.spillFolder)) {
    throw new ConfigurationError(
      `Cannot spill to ${options.spillFolder}: expected a folder, found none. Make it, or name another as spill folder.`,
    )
  }
  const all = foldsOf(plan).flatMap(viewsOf)
  const views = new Map<string, StagedView>()
  try {
    for (const { view, publishedAs } of all) {
      if (isWanted(view, options.views)) views.set(publishedAs, stage(out, publishedAs, files))
    }
    removeAbandoned(options.spillFolder ?? out, files)
    files.makeFolder(spill)
    // Views that are built for what is made of them leave no trace among those that are published.
    for (const { publishedAs } of all) {
      if (!views.has(publishedAs)) views.set(publishedAs, stageUnpublished(out, publishedAs, spill, files))
    }
  } catch (error) {
    for (const view of views.values()) discard(view, files)
    files.remove(spill)
    throw error
  }
  const folders = Object.fromEntries([...views].map(([name, view]) => [name, view.folder]))
  return { out, views, folders, budget: budgetOf(options.memoryBytes, threads, spill) }
}

function stageUnpublished(out: string, view: string, spill: string, files: Disk): StagedView {
  const folder = join(spill, `rows-${view}`)
  files.makeFolder(folder)
  return { out, view, folder }
}

/** @param only The views to publish; absent: all. */
function isWanted(view: string, only: readonly string[] | undefined): boolean {
  return only?.includes(view) ?? true
}

/** The share of a rebuild's memory that packed rows may have; the rest is for columns, states and the engine itself. */
const SHUFFLE_SHARE = 0.5
/** The share of the machine's memory that a rebuild has which asks for nothing. */
const MACHINE_SHARE = 0.5

/** The share that the rows of the buckets that all threads are folding may have; sorting them takes as much again. */
const TASK_SHARE = 0.125
/** Some rows at a time at the least, however little memory there is. */
const TASK_BYTES_MIN = 256

function budgetOf(memoryBytes: number | undefined, threads: number, folder: string): ShuffleBudget {
  const machine = Math.min(totalmem(), process.constrainedMemory() || totalmem())
  const bytes = memoryBytes ?? machine * MACHINE_SHARE
  const taskBytes = Math.max(TASK_BYTES_MIN, Math.floor((bytes * TASK_SHARE) / Math.max(1, threads)))
  return newBudget(Math.floor(bytes * SHUFFLE_SHARE), folder, taskBytes)
}

/** What rebuilds spilled that were killed. */
function removeAbandoned(folder: string, files: Store): void {
  for (const name of namesIn(folder, files)) if (isAbandoned(name)) files.remove(join(folder, name))
}

/** Removes what was staged and not published, and what was spilled. */
function discardAll(staged: StagedViews, files: Store): void {
  for (const view of staged.views.values()) discard(view, files)
  files.remove(staged.budget.folder)
}

/** The same after a failure, which is what the caller must hear of, whatever else fails. */
export function discardAfterFailure(staged: StagedViews, files: Store): void {
  try {
    discardAll(staged, files)
  } catch {
    // What stays is cleared away by the next rebuild.
  }
}

/**
 * Does the last of the work with staged views, then removes what it did not publish, also where it fails.
 *
 * @param work Publishes them, or only looks at them.
 */
export async function finishStaged<T>(built: readonly BuiltViews[], files: Store, work: () => Promise<T>): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    for (const { staged } of built) discardAfterFailure(staged, files)
    throw error
  }
  for (const { staged } of built) discardAll(staged, files)
  return result
}

/** The names under which a rebuild publishes. */
export function publishedNames(plan: Plan, only: readonly string[] | undefined): string[] {
  const wanted = foldsOf(plan)
    .flatMap(viewsOf)
    .filter(({ view }) => isWanted(view, only))
  return wanted.map(({ publishedAs }) => publishedAs)
}

interface PublishedView {
  readonly view: string
  readonly publishedAs: string
  readonly isVintages: boolean
}

/** The views that are published of a group: those that are rebuilt, and where asked for the vintages of each. */
function viewsOf({ log, group }: FoldPlan): PublishedView[] {
  return group.views.flatMap((view) => [
    { view, publishedAs: view, isVintages: false },
    ...(log.vintages === null ? [] : [{ view, publishedAs: vintagesName(view), isVintages: true }]),
  ])
}

/** What is reported of the published figures that the rebuild changes. */
export interface CorrectedViews {
  /** By view: the files of notices below its staging folder. */
  readonly files: ReadonlyMap<string, readonly ManifestFile[]>
  /** Views whose current generation can't be read. */
  readonly damaged: ReadonlySet<string>
  /** What could not be determined, in sentences. */
  readonly notes: readonly string[]
}

/** For views that take the place of no published ones. */
export const noCorrections: CorrectedViews = { files: new Map(), damaged: new Set(), notes: [] }

/** Views as they were folded from their logs, in staging folders of their own: no reader sees them. */
export interface BuiltViews {
  readonly job: LoadedJob
  readonly plan: Plan
  /** By log: the results of its splits. */
  readonly mapped: readonly (readonly MapResult[])[]
  readonly timelines: Timelines
  readonly reduced: ReadonlyMap<string, ReducedView>
  readonly staged: StagedViews
  /** Whether the views were another job's; what to say of that. */
  readonly ownership: Ownership
  /** On files that the published generations were built from and that are no longer there, and on types no event has, in sentences. */
  readonly inputNotes: readonly string[]
  /** Number of worker threads that built them; they have ended. */
  readonly threads: number
}

export interface Finished {
  readonly job: LoadedJob
  /** In layers: views of each are made of logs, or of the rows of views in those before it. */
  readonly built: readonly BuiltViews[]
  readonly corrections: CorrectedViews
  readonly stages: Stages
  /** The views to publish; absent: all. Others were built for what is made of them. */
  readonly only: readonly string[] | undefined
}

/**
 * Checks that the counters of every view reconcile, and only then publishes: first all that may fail is done for all views,
 * then their readers are switched over, one view after the other.
 */
export function publishAll(finished: Finished, files: Disk): RebuildReport {
  const { stages, job, built, corrections } = finished
  const threads = Math.max(...built.map((layer) => layer.threads))
  const logs = built.flatMap(({ plan }) => plan.logs).filter(({ view }) => view === null)
  const ready = built.flatMap((layer) => readyViews(layer, finished, files))
  const progress = stages.progress(ready.length, 'views')
  const run = {
    job: job.bundlePath === undefined ? null : resolve(job.path),
    host: hostname(),
    node: process.version,
    workers: threads,
    stages: stages.times,
    startedAt: new Date(Date.now() - stages.seconds * 1000).toISOString(),
    finishedAt: new Date().toISOString(),
  }
  const installed = installAll(ready, finished, run, () => progress(1, 0), files)
  switchAll(installed, files)
  return {
    job: job.name,
    views: ready.map((view, index) => viewReport(view, installed[index]!)),
    stages: stages.times,
    events: logs.reduce((sum, log) => sum + log.rows, 0),
    seconds: stages.seconds,
    bytesRead: logs.reduce((sum, log) => sum + log.bytes, 0),
    workers: threads,
    notes: [
      ...built.flatMap(({ plan, timelines }) =>
        plan.logs.flatMap((log, i) => emptyNote(log, timelines.logs[i]!) ?? []),
      ),
      ...built.flatMap(({ ownership, inputNotes }) => [...ownership.notes, ...inputNotes]),
      ...corrections.notes,
    ],
  }
}

/** The views of a layer that are to be published. */
function readyViews(layer: BuiltViews, { corrections, only }: Finished, files: Disk): ReadyView[] {
  const duplicates = new DuplicateLists(layer)
  return foldsOf(layer.plan).flatMap((fold, index) => {
    const built = builtFold(layer, fold, index)
    const lists = duplicates.of(fold)
    return viewsOf(fold)
      .filter(({ view }) => isWanted(view, only))
      .map((view) => prepareView({ ...layer, corrections }, built, view, lists, files))
  })
}

function viewReport({ body, bytes, exceptions }: ReadyView, installed: InstalledView): ViewReport {
  const { generation, outcome, digest, path } = installed
  const { view, rows, keys, counters, fingerprint } = body
  const corrections = body.corrections.reduce((sum, file) => sum + file.rows, 0)
  return {
    ...{ view, generation, outcome, rows, keys, counters, digest, fingerprint, path },
    ...{ bytes, exceptions, corrections, order: body.order ?? null },
  }
}

/** Views of a log that has no event, or had recorded none by known-at, are empty, and rightly so. */
function emptyNote(log: LogPlan, { watermark }: LogTimeline): string | null {
  const isRead = log.groups.some(({ share }) => share === null)
  const so = isRead ? ', so its views have no rows' : ''
  if (log.rows === 0) return `Log ${log.name} has recorded no event${so}.`
  if (log.knownAt === null || watermark !== null) return null
  return `Log ${log.name} had recorded no event by ${momentText(log, log.knownAt)}${so}.`
}

/** Gives every view's generation its name; where one fails, none has. */
function installAll(
  ready: readonly ReadyView[],
  { corrections, built }: Finished,
  run: object,
  onPlaced: () => void,
  files: Disk,
): InstalledView[] {
  const installed: InstalledView[] = []
  try {
    const paths = new Map<string, string>()
    const taken = new Set(built.flatMap(({ ownership }) => [...ownership.taken]))
    for (const { staged, body } of ready) {
      const mustReplace = corrections.damaged.has(body.view) || taken.has(body.view)
      const placed = install(staged, { ...body, inputs: placedInputs(body.inputs, paths) }, run, files, mustReplace)
      installed.push(placed)
      paths.set(body.view, placed.path)
      onPlaced()
    }
  } catch (error) {
    for (const view of installed) withdraw(view, files)
    throw error
  }
  return installed
}

/** Rows that a view was made of are named as they are published, not as they were staged. */
function placedInputs(inputs: readonly ManifestInput[], paths: ReadonlyMap<string, string>): ManifestInput[] {
  return inputs.map((input) =>
    input.view === undefined
      ? input
      : { ...input, path: posix.join(paths.get(input.view) ?? `${input.view} (not published)`, basename(input.path)) },
  )
}

interface ReadyView {
  readonly staged: StagedView
  readonly body: ManifestBody
  readonly bytes: number
  readonly exceptions: number
}

/** What was built of a group, of one log or of several. */
interface BuiltFold extends FoldPlan {
  readonly logs: readonly BuiltLog[]
  readonly timeline: FoldTimeline
}

interface BuiltLog {
  readonly log: LogPlan
  readonly results: readonly MapResult[]
  readonly timeline: LogTimeline
}

function builtFold({ plan, mapped, timelines }: BuiltViews, fold: FoldPlan, index: number): BuiltFold {
  const logs = fold.members.map(
    ({ log }): BuiltLog => ({ log: plan.logs[log]!, results: mapped[log]!, timeline: timelines.logs[log]! }),
  )
  return { ...fold, logs, timeline: timelines.folds[index]! }
}

/** The lists of the logs' duplicates: that of a log is made once for all views of it alone. */
class DuplicateLists {
  readonly #built: BuiltViews
  readonly #lists = new Map<number, EncodedExceptions>()

  constructor(built: BuiltViews) {
    this.#built = built
  }

  /** Where several logs are folded together, a list of each, which names the log. */
  of({ members, log }: FoldPlan): EncodedExceptions[] {
    return members.map(({ log: index }, member) => {
      if (log.sources !== undefined) return this.#encode(index, log.sources[member]!.name)
      const list = this.#lists.get(index) ?? this.#encode(index)
      this.#lists.set(index, list)
      return list
    })
  }

  #encode(log: number, name?: string): EncodedExceptions {
    return encodeDuplicates(
      this.#built.mapped[log]!.map((result) => result.duplicateIds),
      name,
    )
  }
}

function prepareView(
  { job, reduced, corrections, staged }: BuiltViews & Pick<Finished, 'corrections'>,
  fold: BuiltFold,
  { view: name, publishedAs, isVintages }: PublishedView,
  duplicates: readonly EncodedExceptions[],
  files: Disk,
): ReadyView {
  const { log, logs, timeline } = fold
  const [first] = logs as readonly [BuiltLog]
  const isMerged = log.sources !== undefined
  const definition = job.definition.views.find((view) => view.name === name)!
  const { parts } = reduced.get(publishedAs)!
  // The last of the vintages is the view itself, so that its counters are theirs.
  const { exceptions: failed, order } = reduced.get(name)!
  const results = logs.flatMap((each) => each.results)
  const mapped = logs.flatMap(({ log: { name: log }, results: own }) =>
    own.flatMap((result) => result.exceptions[name]!.map((row) => (isMerged ? { ...row, log } : row))),
  )
  const counters = balance(name, logs, mapped, failed)
  const refused = encodeRefused([...mapped, ...failed], isMerged)
  const folder = staged.folders[publishedAs]!
  const lists = writeExceptions([...duplicates, refused], folder, files)
  const schema = [...(isVintages ? [vintageColumn(log)] : []), ...outputSchema(log, definition)]
  const keys = Object.keys(keyFields(log, definition)).length + (isVintages ? 1 : 0)
  const triangle = timeline.triangles.get(name)
  const owner = ownerName(job, staged.out)
  const body: ManifestBody = {
    view: publishedAs,
    fingerprint: job.fingerprints.get(name)!,
    options: {
      ...first.log.moments,
      vintages: isVintages ? log.vintages : null,
    },
    key: schema.slice(0, keys).map((column) => manifestColumn(column.name, column.type)),
    columns: schema.slice(keys).map((column) => manifestColumn(column.name, column.type)),
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    keys: parts.reduce((sum, part) => sum + part.keys, 0),
    counters,
    order:
      isOrderSensitive(definition) && !isVintages
        ? orderReport([...results.flatMap((result) => result.order[name] ?? []), ...order])
        : null,
    files: parts.map((part) => ({ name: part.name, rows: part.rows, bytes: part.bytes, sha256: part.sha256 })),
    exceptions: lists,
    window: describeWindow(fold, definition),
    triangle: triangle === undefined || isVintages ? [] : [writeTriangle(triangle, folder, files)],
    corrections: corrections.files.get(publishedAs) ?? [],
    ...(owner !== undefined && { job: owner }),
    logic: definition.window === undefined || isVintages ? null : writeLogic(job, folder, files),
    progress: logs.flatMap((each) => progressOf(each, isMerged)),
    inputs: logs.flatMap((each) => inputsOf(each.log)),
  }
  return {
    staged: staged.views.get(publishedAs)!,
    body,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    exceptions: lists.reduce((sum, list) => sum + list.rows, 0),
  }
}

/** @param isMerged Whether the log is named, as there are others. */
function progressOf({ log, timeline }: BuiltLog, isMerged: boolean): ManifestProgress[] {
  return log.partitions.flatMap((partition, index) => {
    const recordedAt = momentText(log, timeline.progress[index]!)
    return recordedAt === null ? [] : [{ ...(isMerged && { log: log.name }), partition, recordedAt }]
  })
}

function inputsOf({ name, view, files }: LogPlan): ManifestInput[] {
  return files.map(({ path, rows, bytes, footerSha256, recordedFrom, recordedTo }) => ({
    log: name,
    ...(view !== null && { view }),
    path,
    rows,
    bytes,
    footerSha256,
    ...(recordedFrom !== undefined && { recordedFrom }),
    ...(recordedTo !== undefined && { recordedTo }),
  }))
}

/** What a later rebuild needs to find how much of a figure's change is due to the logic. */
function writeLogic(job: LoadedJob, folder: string, files: Store): ManifestLogic | null {
  const logic = keptLogic(job)
  return logic === undefined ? null : files.writeNew(keptLogicPath(folder), [new TextEncoder().encode(logic)])
}

function describeWindow({ log, logs, timeline }: BuiltFold, { window }: ViewDefinition): ManifestWindow | null {
  if (window === undefined) return null
  const { name, every, zone, allowedLateness, late } = window
  return {
    column: name,
    every,
    zone,
    allowedLateness,
    late,
    watermark: momentText(log, timeline.watermark),
    // Of a log that records moments a day is not known to its end.
    recordsDays: logs.every((each) => each.log.recordsDays),
    recordsWholeDays: logs.every((each) => each.log.recordsWholeDays),
  }
}

function momentText(log: Pick<LogPlan, 'timeUnit'>, moment: bigint | null): string | null {
  return moment === null ? null : formatMoment(moment, log.timeUnit)
}

/**
 * Every event that was read was applied, or it is known why not.
 *
 * @param refused What was refused before any event was folded.
 */
function balance(
  view: string,
  logs: readonly BuiltLog[],
  refused: readonly ExceptionRow[],
  failed: readonly ExceptionRow[],
): Counters {
  const total = { read: 0, applied: 0, filtered: 0, duplicate: 0, late: 0, quarantined: 0 }
  for (const result of logs.flatMap(({ results }) => results)) {
    for (const name of Object.keys(total) as (keyof Counters)[]) total[name] += result.counters[view]![name]
  }
  // An event that failed for any of its keys counts as quarantined, though it was applied to its other keys. One that was
  // upcast to several may be quarantined for its type already.
  const nameOf = ({ log = '', eventId }: ExceptionRow) => `${log}\n${eventId}`
  const known = new Set(refused.map(nameOf))
  const events = new Set(failed.map(nameOf).filter((name) => !known.has(name))).size
  total.applied -= events
  total.quarantined += events
  const accounted = total.applied + total.filtered + total.duplicate + total.late + total.quarantined
  const rows = logs.reduce((sum, { log }) => sum + log.rows, 0)
  if (total.read !== rows || accounted !== total.read) {
    throw new Error(
      `the counters of view ${view} do not reconcile: ${rows} events in the log, ${total.read} read, ${accounted} accounted for`,
    )
  }
  return total
}
