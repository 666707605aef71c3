import { join } from 'node:path'
import type { BuiltViews, CorrectedViews } from '../commit/views.ts'
import { keyProblem } from '../compare/compare.ts'
import { OutputError } from '../model/errors.ts'
import { type ManifestFile, manifestColumn } from '../model/manifest.ts'
import { type FoldPlan, foldsOf } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import type { Stages } from '../stages.ts'
import {
  correctionsFolder,
  correctionsFolderName,
  findCurrent,
  generationFolder,
  partName,
  readManifest,
} from '../storage/generations.ts'
import { damageOf } from '../storage/listed-file.ts'
import { NewerFormatError } from '../storage/manifest-file.ts'
import type { Disk, Store } from '../storage/store.ts'
import { keyFields, outputSchema } from '../view/view-set.ts'
import { type EarlierGeneration, earlierGenerations, type Past } from './earlier.ts'
import { type Explained, explain } from './explain.ts'
import { changedRows } from './figures.ts'
import { encodeNotices, type Notice } from './notices.ts'
import { type Inquiry, scenarioOptionsOf } from './scenarios.ts'
import type { Built, Published } from './situation.ts'
import { publishedWindows } from './windows.ts'

/**
 * Compares the views with windows with what is published of them, and writes a notice of each published figure that is
 * changed into the new generation. Damage of what is published is reported and doesn't fail the rebuild.
 */
export async function correctAll(
  all: BuiltViews,
  options: RebuildOptions,
  stages: Stages,
  files: Disk,
): Promise<CorrectedViews> {
  const views = foldsOf(all.plan).flatMap((fold) =>
    fold.group.views.filter((view) => options.views?.includes(view) ?? true).map((view) => builtView(all, fold, view)),
  )
  const scenarioOptions = scenarioOptionsOf(options, all.staged.budget.folder)
  const corrected = new Map<string, readonly ManifestFile[]>()
  const damaged = new Set<string>()
  const notes: string[] = []
  const progress = stages.progress(views.length, 'views')
  for (const built of views) {
    stages.signal?.throwIfAborted()
    if (built !== undefined) {
      const told = await correctView({ job: all.job, built, scenarioOptions }, options.out, stages, files)
      corrected.set(built.view, told.files)
      if (told.isDamaged) damaged.add(built.view)
      notes.push(...told.notes)
    }
    progress(1, 0)
  }
  return { files: corrected, damaged, notes }
}

/** The new generation of a view whose figures are of windows; undefined for other views. */
function builtView(
  { job, plan, reduced, staged }: BuiltViews,
  { log, members }: FoldPlan,
  view: string,
): Built | undefined {
  const definition = job.definition.views.find(({ name }) => name === view)
  if (definition?.window === undefined) return undefined
  const schema = outputSchema(log, definition).map(({ name, type }) => manifestColumn(name, type))
  const keys = Object.keys(keyFields(log, definition)).length
  return {
    view,
    logs: members.map((member) => plan.logs[member.log]!),
    folder: staged.folders[view]!,
    files: reduced.get(view)!.parts,
    key: schema.slice(0, keys),
    columns: schema.slice(keys),
    fingerprint: job.fingerprints.get(view)!,
  }
}

/** What is reported of one view. */
interface CorrectedView {
  readonly files: readonly ManifestFile[]
  /** Whether the current generation can't be read. */
  readonly isDamaged: boolean
  readonly notes: readonly string[]
}

const nothing: CorrectedView = { files: [], isDamaged: false, notes: [] }

async function correctView(
  inquiry: Omit<Inquiry, 'published'>,
  out: string,
  stages: Stages,
  files: Disk,
): Promise<CorrectedView> {
  const { built } = inquiry
  let published: Published | undefined
  try {
    published = findPublished(out, built.view, files)
  } catch (error) {
    if (!(error instanceof OutputError) || error instanceof NewerFormatError) throw error
    return unreadable(built.view, error.place.file ?? built.view)
  }
  // Rows of another key are other figures.
  if (published === undefined || keyProblem({ ...published.manifest, folder: published.folder }, built) !== undefined)
    return nothing
  return compareWithPast({ ...inquiry, published }, stages, files)
}

/** @throws OutputError where it is damaged, or a newer version's. */
function findPublished(out: string, view: string, files: Store): Published | undefined {
  const current = findCurrent(out, view, files)
  if (current === undefined) return undefined
  const manifest = readManifest(out, view, current.generation, files)
  return { out, folder: generationFolder(out, view, current.generation), manifest }
}

/**
 * Reports the changes. Where that fails, what was published is checked for damage; checking that before
 * would read everything twice. Generations from the first that isn't are left out.
 */
async function compareWithPast(inquiry: Inquiry, stages: Stages, files: Disk): Promise<CorrectedView> {
  const { built, published } = inquiry
  const notes: string[] = []
  let explained: Explained | undefined
  for (let generations = earlierGenerations(published, files); ; ) {
    try {
      const past = { published, generations, isPublished: publishedWindows(generations, files) }
      if (explained === undefined && !hasChanges(built, past, files)) return { ...nothing, notes }
      explained ??= await explain(inquiry, files)
      const written = writeNotices(explained.notices(past), built.folder, files)
      return { ...nothing, files: written, notes: [...notes, ...detailNote(built, explained)] }
    } catch (error) {
      if (stages.signal?.aborted) throw error
      const damaged = firstDamaged(generations, files)
      if (damaged === undefined) throw error
      files.remove(correctionsFolder(built.folder))
      const { index, damage } = damaged
      if (index === 0) return unreadable(built.view, damage)
      notes.push(
        `Generation ${generations[index]!.generation} of view ${built.view} can't be read (${damage}), so it and those before it are left out where corrections say since when a figure was published. Remove its folder.`,
      )
      generations = generations.slice(0, index)
    }
  }
}

/** The first generation with a part that isn't what was published, and what was found; undefined where there is none. */
function firstDamaged(
  generations: readonly EarlierGeneration[],
  files: Store,
): { readonly index: number; readonly damage: string } | undefined {
  for (const [index, { folder, files: parts }] of generations.entries()) {
    for (const part of parts) {
      const found = damageOf(folder, part, files)
      if (found !== undefined) return { index, damage: `${join(folder, part.name)}: found ${found}` }
    }
  }
  return undefined
}

function unreadable(view: string, damage: string): CorrectedView {
  const note = `What is published of view ${view} can't be read (${damage}), so what this rebuild changes of its figures is not reported.`
  return { files: [], isDamaged: true, notes: [note] }
}

function detailNote({ view }: Built, { detail }: Explained): string[] {
  return detail === null ? [] : [`Why figures of view ${view} changed could not all be determined: ${detail}`]
}

function hasChanges(after: Built, { published, isPublished }: Past, files: Store): boolean {
  const before = { ...published.manifest, folder: published.folder }
  for (const _ of changedRows(before, after, [], isPublished, files)) return true
  return false
}

function writeNotices(notices: Iterable<Notice>, folder: string, files: Disk): ManifestFile[] {
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
