import { OutputError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { changesOfInputs } from '../plan/input-changes.ts'
import {
  findCurrent,
  generationFolder,
  listGenerations,
  listViews,
  readCurrent,
  readManifest,
  writtenAt,
} from '../storage/generations.ts'

/** A generation of a view, as `history` lists it. */
export interface GenerationEntry {
  readonly view: string
  readonly generation: string
  readonly current: boolean
  /** Its manifest can't be read, so that nothing else is known of it. */
  readonly damaged: boolean
  /** ISO 8601. */
  readonly writtenAt: string | null
  readonly rows: number | null
  readonly keys: number | null
  readonly bytes: number | null
  readonly knownAt: string | null
  readonly asOf: string | null
  readonly fingerprint: string | null
  /** Number of files that it was built from. */
  readonly inputs: number | null
  /**
   * Of those that the generation before it was built from, the files whose contents were in none of its own; null where that one is no longer
   * there.
   */
  readonly goneInputs: readonly { readonly path: string; readonly rows: number }[] | null
  /** Why some of their rows were missing from its log; null where they were rewritten, or none is gone. */
  readonly lostInputs: string | null
  readonly digest: string | null
  readonly path: string
}

/**
 * The generations of a view, or of all views where none is named, each view's oldest first.
 *
 * @param onDamage Called with the reason for each manifest that can't be read; all else is listed nevertheless.
 * @throws ConfigurationError where the view was never built.
 */
export function historyOf(
  out: string,
  wanted: string | undefined,
  onDamage: (reason: string) => void,
): GenerationEntry[] {
  if (wanted !== undefined && !listViews(out).includes(wanted)) readCurrent(out, wanted)
  const views = wanted === undefined ? listViews(out) : [wanted]
  return views.flatMap((view) => entriesOf(out, view, onDamage))
}

function entriesOf(out: string, view: string, onDamage: (reason: string) => void): GenerationEntry[] {
  const current = orDamaged(() => findCurrent(out, view), onDamage)?.generation
  return listGenerations(out, view).map((generation) => {
    const entry = { view, generation, current: generation === current, path: generationFolder(out, view, generation) }
    const manifest = orDamaged(() => readManifest(out, view, generation), onDamage)
    if (manifest === undefined) return { ...entry, ...unknown, damaged: true }
    const { rows, keys, files, options, fingerprint, digest } = manifest
    return {
      ...entry,
      damaged: false,
      writtenAt: new Date(writtenAt(out, view, generation)).toISOString(),
      rows,
      keys,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      knownAt: options.knownAt,
      asOf: options.asOf,
      fingerprint,
      ...inputsOf(out, manifest),
      digest,
    }
  })
}

function inputsOf(
  out: string,
  { view, previous, inputs }: Manifest,
): Pick<GenerationEntry, 'inputs' | 'goneInputs' | 'lostInputs'> {
  // Damage of the generation before is reported with that one.
  const before =
    previous === null
      ? undefined
      : orDamaged(
          () => readManifest(out, view, previous),
          () => {},
        )
  if (before === undefined) return { inputs: inputs.length, goneInputs: null, lostInputs: null }
  const { gone, loss } = changesOfInputs(before.inputs, inputs)
  return { inputs: inputs.length, goneInputs: gone.map(({ path, rows }) => ({ path, rows })), lostInputs: loss }
}

/** Damage is reported; everything else is still listed. */
function orDamaged<T>(read: () => T, onDamage: (reason: string) => void): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof OutputError)) throw error
    onDamage(error.message)
    return undefined
  }
}

/** What is unknown of a generation whose manifest can't be read. */
const unknown = {
  writtenAt: null,
  rows: null,
  keys: null,
  bytes: null,
  knownAt: null,
  asOf: null,
  fingerprint: null,
  inputs: null,
  goneInputs: null,
  lostInputs: null,
  digest: null,
}
