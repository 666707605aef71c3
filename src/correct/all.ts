import { join } from 'node:path'
import type { StagedViews } from '../commit/views.ts'
import { keyProblem } from '../compare/compare.ts'
import type { LoadedJob } from '../job/load.ts'
import { OutputError } from '../model/errors.ts'
import { type ManifestFile, manifestColumn } from '../model/manifest.ts'
import type { RebuildOptions } from '../model/report.ts'
import type { LogPlan, Plan } from '../plan/plan.ts'
import type { ReducedView } from '../reduce/all.ts'
import type { Stages } from '../stages.ts'
import type { Files } from '../storage/files.ts'
import {
  correctionsFolder,
  correctionsFolderName,
  findCurrent,
  generationFolder,
  partName,
  readManifest,
} from '../storage/generations.ts'
import { keyFields, outputSchema } from '../view/view-set.ts'
import { explain } from './explain.ts'
import { changedRows } from './figures.ts'
import { encodeNotices, type Notice } from './notices.ts'
import type { Built, Published } from './situation.ts'
import { type Engine, VariantBuilder } from './variants.ts'

/** What was reduced and is about to be published. */
export interface Reduced {
  readonly job: LoadedJob
  readonly plan: Plan
  readonly reduced: ReadonlyMap<string, ReducedView>
  /** Where new generations are made, and the folder that is gone after the rebuild. */
  readonly staged: StagedViews
  readonly options: RebuildOptions
  readonly engine: Engine
  readonly stages: Stages
}

/**
 * Compares the views with windows with what is published of them, and writes a notice of each published figure that is
 * changed into the new generation.
 *
 * @returns By view: the files of its notices.
 */
export async function correctAll(reduced: Reduced, files: Files): Promise<Map<string, readonly ManifestFile[]>> {
  const views = reduced.plan.logs.flatMap((log) =>
    log.groups.flatMap((group) => group.views.map((view) => builtView(reduced, log, view))),
  )
  const corrected = new Map<string, readonly ManifestFile[]>()
  const progress = reduced.stages.progress(views.length, 'views')
  for (const built of views) {
    reduced.stages.signal?.throwIfAborted()
    const published = built === undefined ? undefined : findPublished(reduced.options.out, built.view, files)
    if (built !== undefined && published !== undefined) {
      corrected.set(built.view, await correctView(reduced, built, published, files))
    }
    progress(1, 0)
  }
  return corrected
}

/** The new generation of a view whose figures are of windows; undefined for other views. */
function builtView({ job, reduced, staged }: Reduced, log: LogPlan, view: string): Built | undefined {
  const definition = job.definition.views.find(({ name }) => name === view)
  if (definition?.window === undefined) return undefined
  const schema = outputSchema(log, definition).map(({ name, type }) => manifestColumn(name, type))
  const keys = Object.keys(keyFields(log, definition)).length
  return {
    view,
    log,
    folder: staged.folders[view]!,
    files: reduced.get(view)!.parts,
    key: schema.slice(0, keys),
    columns: schema.slice(keys),
    fingerprint: job.fingerprints.get(view)!,
  }
}

/** The current generation; undefined where there is none, or one that is damaged, which publishing mends. */
function findPublished(out: string, view: string, files: Files): Published | undefined {
  try {
    const current = findCurrent(out, view, files)
    if (current === undefined) return undefined
    const manifest = readManifest(out, view, current.generation, files)
    return { out, folder: generationFolder(out, view, current.generation), manifest }
  } catch (error) {
    if (error instanceof OutputError) return undefined
    throw error
  }
}

async function correctView(
  { job, options, engine, staged }: Reduced,
  built: Built,
  published: Published,
  files: Files,
): Promise<ManifestFile[]> {
  const before = { ...published.manifest, folder: published.folder }
  // Rows of another key are other figures.
  if (keyProblem(before, built) !== undefined || !hasChanges(before, built, files)) return []
  const builder = new VariantBuilder(engine, options, join(staged.budget.folder, 'variants', built.view), files)
  return writeNotices(await explain(job, built, published, builder, files), built.folder, files)
}

function hasChanges(before: Parameters<typeof changedRows>[0], after: Built, files: Files): boolean {
  for (const _ of changedRows(before, after, [], files)) return true
  return false
}

function writeNotices(notices: Iterable<Notice>, folder: string, files: Files): ManifestFile[] {
  files.makeFolder(correctionsFolder(folder))
  const name = `${correctionsFolderName}/${partName(0)}`
  let rows = 0
  function* counted(): Generator<Notice> {
    for (const notice of notices) {
      rows++
      yield notice
    }
  }
  const written = files.writeNew(join(folder, name), encodeNotices(counted()))
  return [{ name, rows, ...written }]
}
