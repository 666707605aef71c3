import { join } from 'node:path'
import type { ComparedGeneration } from '../compare/stream.ts'
import type { LoadedJob } from '../job/load.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { LogPlan } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { eventsJob } from '../scenario/events-view.ts'
import { loadKeptLogic } from '../scenario/kept-logic.ts'
import { buildScenario, planScenario, type Scenario, type ScenarioOptions } from '../scenario/scenario.ts'
import type { Disk } from '../storage/store.ts'
import { type Between, type Cause, type Step, stepsBetween } from './chain.ts'
import type { Built, Published, Situation } from './situation.ts'

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
  { job, built: { view, log } }: Inquiry,
  { filesKept, newFiles, progress }: Situation,
  files: Disk,
): Promise<boolean> {
  if (!filesKept) return true
  if (newFiles.length === 0) return false
  const inputs = inputsOf(log, newFiles)
  const plan = await planScenario({ job, view, inputs, bounds: { until: progress } }, files)
  // Of a file that holds only what was recorded later, statistics mostly show it.
  return plan.splits.some(({ rowGroups }) => rowGroups.some(({ skipped }) => !skipped))
}

/** Builds the view as it was between the causes that may have changed anything. */
export async function findSteps(
  inquiry: Inquiry,
  situation: Situation,
  differs: Differs,
  files: Disk,
): Promise<Step[]> {
  const { job, built, published } = inquiry
  const { view, log } = built
  const inputs = inputsOf(log, log.files)
  const asOf = situation.asOf ?? undefined
  let old: LoadedJob | undefined
  try {
    return await stepsBetween(built, differs, async (between: Between) => {
      if (between !== 'by new logic' && !situation.sameLogic) old ??= await loadKeptLogic(published, files)
      const by = between === 'by new logic' ? job : (old ?? job)
      const known = between === 'as it was known' ? { bounds: { until: situation.progress } } : now(situation, log)
      return compared(inquiry, { view, job: by, inputs, asOf, ...known }, files)
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
  const { view, log } = inquiry.built
  const { progress, newFiles } = situation
  const listing = { view, job: eventsJob(inquiry.job, view, log), asOf: situation.asOf ?? undefined }
  const found: CauseEvents[] = []
  if (differs['late data']) {
    const { knownAt, bounds } = now(situation, log)
    const scenario = { ...listing, inputs: inputsOf(log, log.files), knownAt, bounds: { ...bounds, after: progress } }
    found.push({ cause: 'late data', generation: await compared(inquiry, scenario, files) })
  }
  if (differs['upstream correction'] && newFiles.length > 0) {
    const scenario = { ...listing, inputs: inputsOf(log, newFiles), bounds: { until: progress } }
    found.push({ cause: 'upstream correction', generation: await compared(inquiry, scenario, files) })
  }
  return found
}

/** All that is known now, and what was known before where known-at leaves it out: leaving it out is an option. */
function now({ knownAt, knowsLess, progress }: Situation, log: LogPlan): Pick<Scenario, 'knownAt' | 'bounds'> {
  if (!knowsLess) return { knownAt: knownAt === null ? undefined : formatMoment(knownAt, log.timeUnit) }
  const until = log.partitions.map((name) => {
    const before = progress[name] ?? knownAt!
    return [name, before > knownAt! ? before : knownAt!]
  })
  return { bounds: { until: Object.fromEntries(until) as Record<string, bigint> } }
}

/** Only these files of the log. */
function inputsOf({ name }: LogPlan, files: readonly { readonly path: string }[]): Record<string, string[]> {
  return { [name]: files.map(({ path }) => path) }
}

async function compared({ scenarioOptions }: Inquiry, scenario: Scenario, files: Disk): Promise<ComparedGeneration> {
  const { manifest, folder } = await buildScenario(scenario, scenarioOptions, files)
  return { ...manifest, folder }
}
