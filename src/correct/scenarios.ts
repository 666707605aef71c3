import { join } from 'node:path'
import type { ComparedGeneration } from '../compare/stream.ts'
import type { LoadedJob } from '../job/load.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { LogBounds } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { logsOf } from '../model/view.ts'
import { eventsJob } from '../scenario/events-view.ts'
import { loadKeptLogic } from '../scenario/kept-logic.ts'
import { buildScenario, planScenario, type Scenario, type ScenarioOptions } from '../scenario/scenario.ts'
import type { Disk } from '../storage/store.ts'
import { type Between, type Cause, type Step, stepsBetween } from './chain.ts'
import type { Built, LogSituation, Published, Situation } from './situation.ts'

/** What the causes of a view's changed figures are looked for in. */
export interface Inquiry {
  readonly job: LoadedJob
  readonly built: Built
  readonly published: Published
  readonly scenarioOptions: ScenarioOptions
}

/** Which causes may have changed anything. */
export type Differs = Readonly<Record<Cause, boolean>>

/** The events behind a cause, by key. */
export interface CauseEvents {
  readonly cause: Cause
  readonly generation: ComparedGeneration
}

/**
 * How a rebuild builds scenarios beside its own views.
 *
 * @param spill The rebuild's folder for what is spilled: they are gone with it.
 */
export function scenarioOptionsOf(
  { workers, memoryBytes, spillFolder, signal }: RebuildOptions,
  spill: string,
): ScenarioOptions {
  return {
    within: join(spill, 'scenarios'),
    ...(workers !== undefined && { workers }),
    // What was mapped for the view itself is still in memory.
    ...(memoryBytes !== undefined && { memoryBytes: Math.ceil(memoryBytes / 2) }),
    ...(spillFolder !== undefined && { spillFolder }),
    ...(signal !== undefined && { signal }),
  }
}

/** Whether anything that was known then may have been replaced, withdrawn or added since. */
export async function mayBeCorrected(
  { job, built: { view } }: Inquiry,
  situation: Situation,
  files: Disk,
): Promise<boolean> {
  if (!situation.filesKept) return true
  const changed = situation.logs.filter(({ newFiles }) => newFiles.length > 0).map(({ log }) => log.name)
  if (changed.length === 0) return false
  const plan = await planScenario({ job, view, ...replaced(situation) }, files)
  const read = plan.logs.filter(({ name }) => changed.includes(name))
  // Of a file that holds only what was recorded later, statistics mostly show it.
  return read.some(({ splits }) => splits.some(({ rowGroups }) => rowGroups.some(({ skipped }) => !skipped)))
}

/** Builds the view as it was between the causes that may have changed anything. */
export async function findSteps(
  inquiry: Inquiry,
  situation: Situation,
  differs: Differs,
  files: Disk,
): Promise<Step[]> {
  const { job, built, published } = inquiry
  const { view } = built
  const asOf = situation.asOf ?? undefined
  let old: LoadedJob | undefined
  try {
    return await stepsBetween(built, differs, async (between: Between) => {
      if (between !== 'by new logic' && !situation.sameLogic) old ??= await loadKeptLogic(published, files)
      const by = between === 'by new logic' ? job : (old ?? job)
      const known = between === 'as it was known' ? { bounds: until(situation.logs) } : now(situation)
      return compared(inquiry, { view, job: by, inputs: allFiles(situation), asOf, ...known }, files)
    })
  } finally {
    old?.dispose()
  }
}

/** Lists the events behind changes: those that became known since, and those of files that were put in place of others. */
export async function findEvents(
  inquiry: Inquiry,
  situation: Situation,
  differs: Differs,
  files: Disk,
): Promise<CauseEvents[]> {
  const { view, logs } = inquiry.built
  const listing = { view, job: eventsJob(inquiry.job, view, logs), asOf: situation.asOf ?? undefined }
  const found: CauseEvents[] = []
  if (differs['late data']) {
    const { knownAt, bounds } = now(situation)
    const since = byLog(situation.logs, ({ log, progress }) => ({ ...bounds?.[log.name], after: progress }))
    const scenario = { ...listing, inputs: allFiles(situation), knownAt, bounds: since }
    found.push({ cause: 'late data', generation: await compared(inquiry, scenario, files) })
  }
  if (differs['upstream correction'] && situation.logs.some(({ newFiles }) => newFiles.length > 0)) {
    const generation = await compared(inquiry, { ...listing, ...replaced(situation) }, files)
    found.push({ cause: 'upstream correction', generation })
  }
  return found
}

function byLog<T>(logs: readonly LogSituation[], of: (log: LogSituation) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(logs.map((each) => [each.log.name, of(each)]))
}

/** What was known then. */
function until(logs: readonly LogSituation[]): LogBounds {
  return byLog(logs, ({ progress }) => ({ until: progress }))
}

/** What files that were put in place of others, or added, hold of what was known then: of logs without such files, nothing. */
function replaced({ logs }: Situation): Pick<Scenario, 'inputs' | 'bounds'> {
  return {
    inputs: byLog(logs, ({ log, newFiles }) => pathsOf(newFiles.length > 0 ? newFiles : log.files)),
    bounds: byLog(logs, ({ progress, newFiles }) => ({ until: newFiles.length > 0 ? progress : {} })),
  }
}

/** All that is known now, and what was known before where known-at leaves it out: leaving it out is an option. */
function now({ logs, knowsLess }: Situation): Pick<Scenario, 'knownAt' | 'bounds'> {
  const [{ log: first }] = logs as readonly [LogSituation]
  const { knownAt } = first
  if (!knowsLess) return { knownAt: knownAt === null ? undefined : formatMoment(knownAt, first.timeUnit) }
  return {
    bounds: byLog(logs, ({ log, progress }) => {
      const latest = log.partitions.map((name) => {
        const before = progress[name] ?? knownAt!
        return [name, before > knownAt! ? before : knownAt!]
      })
      return { until: Object.fromEntries(latest) as Record<string, bigint> }
    }),
  }
}

function allFiles({ logs }: Situation): Readonly<Record<string, string[]>> {
  return byLog(logs, ({ log }) => pathsOf(log.files))
}

function pathsOf(files: readonly { readonly path: string }[]): string[] {
  return files.map(({ path }) => path)
}

async function compared({ scenarioOptions }: Inquiry, scenario: Scenario, files: Disk): Promise<ComparedGeneration> {
  const { manifest, folder } = await buildScenario(withOwnInputs(scenario), scenarioOptions, files)
  return { ...manifest, folder }
}

/** Earlier logic may read fewer logs. */
function withOwnInputs(scenario: Scenario): Scenario {
  const view = scenario.job.definition.views.find(({ name }) => name === scenario.view)!
  const names = logsOf(view).map(({ name }) => name)
  const own = Object.entries(scenario.inputs ?? {}).filter(([name]) => names.includes(name))
  return { ...scenario, inputs: Object.fromEntries(own) }
}
