import { posix } from 'node:path'
import { InputError } from '../model/errors.ts'
import type { ManifestInput } from '../model/manifest.ts'
import type { Plan } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { findReadableManifest, generationNumber } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'
import { folderColumns } from './files.ts'

/** A file of a log, as a manifest or a plan describes it. */
export type InputFile = Omit<ManifestInput, 'log'>

/** The files that a generation was built from, compared with those that are there for the next. */
export interface InputChanges {
  /** Files whose contents are in no file of the log any more. */
  readonly gone: readonly InputFile[]
  /** Files whose contents were in none of those. */
  readonly added: readonly InputFile[]
  readonly rowsBefore: number
  readonly rowsNow: number
  /**
   * What shows that events are missing, as a sentence without its full stop; null where the files that are gone may have been rewritten:
   * no partition has fewer rows than before, nor has the log, and the new files reach as far as those that are gone.
   */
  readonly loss: string | null
}

/** The changed files of a view that is published. */
export interface ChangedInputs extends InputChanges {
  readonly view: string
  readonly generation: string
  /** Number of files that the generation was built from. */
  readonly files: number
}

/** A log is append-only: its files may be moved, and rewritten, and what was in them must still be there. */
export function changesOfInputs(before: readonly InputFile[], now: readonly InputFile[]): InputChanges {
  const [old, current] = [withoutViews(before, now), withoutViews(now, before)]
  const gone = without(old, current)
  const added = without(current, old)
  const rowsBefore = rowsOf(old)
  const rowsNow = rowsOf(current)
  const loss = gone.length === 0 ? null : (fewerRows(old, current) ?? uncoveredSpan(gone, added))
  return { gone, added, rowsBefore, rowsNow, loss }
}

/** A view is read by its current generation, so that of one which both name other files are as it should be. */
function withoutViews(files: readonly InputFile[], others: readonly InputFile[]): InputFile[] {
  const views = new Set(others.map(({ path }) => viewOf(path)))
  return files.filter(({ path }) => viewOf(path) === null || !views.has(viewOf(path)))
}

/** The view that a part file belongs to; null for other files. */
function viewOf(path: string): string | null {
  const generation = posix.dirname(path)
  return generationNumber(posix.basename(generation)) === undefined ? null : posix.dirname(generation)
}

/** Files whose contents are not among others, wherever they lie; each of those accounts for one. */
function without(files: readonly InputFile[], others: readonly InputFile[]): InputFile[] {
  const contentOf = ({ footerSha256, rows, bytes }: InputFile) => `${footerSha256} ${rows} ${bytes}`
  const left = new Map<string, number>()
  for (const file of others) left.set(contentOf(file), (left.get(contentOf(file)) ?? 0) + 1)
  return files.filter((file) => {
    const found = left.get(contentOf(file)) ?? 0
    left.set(contentOf(file), found - 1)
    return found <= 0
  })
}

function fewerRows(before: readonly InputFile[], now: readonly InputFile[]): string | null {
  const [rowsBefore, rowsNow] = [rowsOf(before), rowsOf(now)]
  if (rowsNow < rowsBefore) return `the log has ${rowsNow} rows now, and had ${rowsBefore}`
  // Partitions of other columns can't be compared.
  if (namesOf(before) !== namesOf(now)) return null
  const [old, current] = [rowsByPartition(before), rowsByPartition(now)]
  for (const [partition, rows] of old) {
    const left = current.get(partition) ?? 0
    if (left < rows) return `partition ${partition} has ${left} rows now, and had ${rows}`
  }
  return null
}

function rowsByPartition(files: readonly InputFile[]): Map<string, number> {
  const rows = new Map<string, number>()
  for (const file of files) {
    const values = [...folderColumns(file.path)].map(([name, value]) => `${name}=${value}`).join('/')
    if (values !== '') rows.set(values, (rows.get(values) ?? 0) + file.rows)
  }
  return rows
}

function namesOf(files: readonly InputFile[]): string {
  return [...new Set(files.map(({ path }) => [...folderColumns(path).keys()].join('/')))].sort().join(', ')
}

/** A log that drops its oldest file while it gets a new one may have as many rows as before. */
function uncoveredSpan(gone: readonly InputFile[], added: readonly InputFile[]): string | null {
  const [old, current] = [spanOf(gone), spanOf(added)]
  if (old === null || current === null || (current.from <= old.from && current.to >= old.to)) return null
  return `they held events recorded from ${old.from} to ${old.to}, and the new files hold such from ${current.from} to ${current.to}`
}

/** Moments of the same digits, so that they are in the order of their texts; null where statistics do not show it of every file. */
function spanOf(files: readonly InputFile[]): { readonly from: string; readonly to: string } | null {
  const filled = files.filter(({ rows }) => rows > 0)
  const froms = filled.map(({ recordedFrom }) => recordedFrom)
  const tos = filled.map(({ recordedTo }) => recordedTo)
  if (filled.length === 0 || !froms.every(isText) || !tos.every(isText)) return null
  return { from: froms.reduce((a, b) => (a < b ? a : b)), to: tos.reduce((a, b) => (a > b ? a : b)) }
}

function isText(value: string | undefined): value is string {
  return value !== undefined
}

function rowsOf(files: readonly InputFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}

/** Views of a plan whose published generation was built from files that are no longer there; others are left out. */
export function publishedInputChanges(plan: Plan, out: string, files: Store): ChangedInputs[] {
  // A view's rows may become fewer.
  const read = plan.logs
    .filter(({ view }) => view === null)
    .flatMap((log) => log.groups.flatMap(({ views, share }) => views.map((view) => ({ view, log, share }))))
  return read.flatMap(({ view, log: { name, files: now }, share }) => {
    const manifest = findReadableManifest(out, view, files)
    if (manifest === undefined) return []
    // What one of several logs has lost is not made up for by another.
    const before = share === null ? manifest.inputs : manifest.inputs.filter(({ log }) => log === name)
    const changes = changesOfInputs(before, now)
    return changes.gone.length === 0
      ? []
      : [{ view, generation: manifest.generation, files: before.length, ...changes }]
  })
}

const pathsShownMax = 5

/** The change in a sentence, for messages: which files are gone. */
export function describeChangedInputs({ view, generation, files, gone, added, loss }: ChangedInputs): string {
  const shown = gone.slice(0, pathsShownMax).map(({ path, rows }) => `${path} (${rows} ${rows === 1 ? 'row' : 'rows'})`)
  const more = gone.length > pathsShownMax ? ` and ${gone.length - pathsShownMax} more` : ''
  const which = files === 1 ? 'The file' : `${gone.length} of the ${files} files`
  const what = `${which} that generation ${generation} of view ${view} was built from`
  const isAre = gone.length === 1 ? 'is' : 'are'
  const others =
    added.length === 0 ? '' : `; ${added.length} ${added.length === 1 ? 'file has' : 'files have'} other contents`
  return `${what} ${isAre} gone or changed: ${shown.join(', ')}${more}${others}${loss === null ? '' : `; ${loss}`}.`
}

/**
 * Refuses to replace a generation by one of fewer events.
 *
 * @returns Notes on files that were rewritten, or are missing where that is allowed.
 * @throws InputError where events that were read for a published generation are not in the log any more.
 */
export function checkPublishedInputs(plan: Plan, options: RebuildOptions, files: Store): string[] {
  return publishedInputChanges(plan, options.out, files).map((changed) => {
    const told = describeChangedInputs(changed)
    if (changed.loss === null) return `${told} They count as rewritten: no rows were lost.`
    if (options.allowMissingInputs === true) return `${told} The view was built without them, as was allowed.`
    throw new InputError(
      `Cannot rebuild view ${changed.view}: expected a log that only grows. ${told} Restore the files; or, where they were removed or replaced on purpose, allow it with --allow-missing-inputs (allowMissingInputs of rebuild()).`,
      { view: changed.view, file: changed.gone[0]!.path },
    )
  })
}
