import { columnFromValues } from '../columns/from-values.ts'
import { noticeColumns } from '../correct/notices.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { openParquet } from '../parquet/file.ts'
import { disk } from '../storage/disk.ts'
import { generationFolder, generationNumber, readManifest, resolveGeneration } from '../storage/generations.ts'
import { openListed } from '../storage/listed-file.ts'
import { type NamedColumn, textColumn } from './named-column.ts'
import { type PublishedGenerations, publishedGenerations } from './notices.ts'
import { logicalOf } from './values.ts'
import { readNamedColumns } from './view-files.ts'
import { windowOf } from './window.ts'

/** Whose corrections are asked for: those of one generation, the current one by default; or of all from one on. */
export interface WhichCorrections {
  readonly generation?: string | undefined
  /** A generation, or `all`. */
  readonly since?: string | undefined
}

/**
 * The generations whose notices are asked for, oldest first.
 *
 * @param named What asks for them, and what its `since` is called, for messages.
 * @throws ConfigurationError where there is no such generation, or the view has no windows: none of its figures is ever taken
 *   to be published, so that none being corrected would say nothing.
 */
export function correctedGenerations(
  out: string,
  view: string,
  { generation, since }: WhichCorrections,
  named: { readonly view: string; readonly since: string },
): PublishedGenerations {
  const found =
    since === undefined
      ? { manifests: [readManifest(out, view, resolveGeneration(out, view, generation))], gap: null }
      : generationsSince(out, view, since, named.since)
  windowOf({ manifest: found.manifests.at(-1)! }, named.view)
  return found
}

function generationsSince(out: string, view: string, since: string, option: string): PublishedGenerations {
  const first = since === 'all' ? 0 : generationNumber(resolveGeneration(out, view, since))!
  const published = publishedGenerations(out, view, first - 1, disk)
  if (published.manifests.length > 0) return published
  throw new ConfigurationError(
    `${option} ${since}: expected a generation up to the current one of view ${view}, found a later one, which was never published.`,
  )
}

/**
 * The notices of generations, a row group at a time, each with its id and generation in front; where there are none, one
 * batch of no rows gives the columns.
 */
export function* correctionBatches(out: string, generations: readonly Manifest[]): Generator<readonly NamedColumn[]> {
  let batches = 0
  for (const { view, generation, corrections } of generations) {
    let first = 0
    for (const listed of corrections) {
      const file = openListed(generationFolder(out, view, generation), listed, disk)
      try {
        const part = openParquet(file)
        for (const { index, rows } of part.rowGroups) {
          const ids = Array.from({ length: rows }, (_, row) => `${view}/${generation}/${first + row}`)
          const names = ids.map(() => generation)
          yield [textColumn('id', ids), textColumn('generation', names), ...readNamedColumns(part, index)]
          first += rows
          batches++
        }
      } finally {
        file.close()
      }
    }
  }
  if (batches === 0) yield emptyBatch()
}

function emptyBatch(): readonly NamedColumn[] {
  const described = noticeColumns.map(({ name, type }) => ({
    name,
    type: logicalOf(type),
    column: columnFromValues(type, []),
  }))
  return [textColumn('id', []), textColumn('generation', []), ...described]
}
