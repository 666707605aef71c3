import { OutputError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { formatMoment } from '../model/moment-text.ts'
import { openParquet } from '../parquet/file.ts'
import { readRows } from '../parquet/rows.ts'
import {
  generationFolder,
  generationNumber,
  listGenerations,
  readCurrent,
  readManifest,
} from '../storage/generations.ts'
import { openListed } from '../storage/listed-file.ts'
import type { Store } from '../storage/store.ts'

/** A notice of a generation, as it is sent. */
export interface SentNotice {
  /** `daily-cases/000002-41d0…/17`: the same whenever it is sent. */
  readonly id: string
  readonly place: NoticePlace
  /** One JSON object. */
  readonly json: string
}

/** The place of a notice: the generation, and which of its notices, from 0. */
export interface NoticePlace {
  readonly generation: string
  readonly row: number
}

/** Generations that were published one upon the other, oldest first. */
export interface PublishedGenerations {
  readonly manifests: readonly Manifest[]
  /** Why there are none before the first of them, in a sentence; null where all that were asked for are there. */
  readonly gap: string | null
}

/**
 * The generations that were published one upon the other up to the current one, as far back as they are still there and
 * can be read. A generation that no reader ever saw is not among them.
 *
 * @param after Only those with a higher number.
 * @throws OutputError where the current one is damaged.
 */
export function publishedGenerations(out: string, view: string, after: number, files: Store): PublishedGenerations {
  const there = new Set(listGenerations(out, view, files))
  const current = readManifest(out, view, readCurrent(out, view, files).generation, files)
  if (generationNumber(current.generation)! <= after) return { manifests: [], gap: null }
  const manifests = [current]
  for (let next = current.previous; next !== null && generationNumber(next)! > after; ) {
    const untold = `what generation ${next} of view ${view} and those before it corrected is not reported`
    if (!there.has(next)) return { manifests, gap: `A generation was removed: ${untold}.` }
    try {
      const manifest: Manifest = readManifest(out, view, next, files)
      manifests.unshift(manifest)
      next = manifest.previous
    } catch (error) {
      if (!(error instanceof OutputError)) throw error
      return { manifests, gap: `${error.message} As it is, ${untold}.` }
    }
  }
  return { manifests, gap: null }
}

/**
 * The notices after a place, in the order of generations and rows; all where there is none.
 *
 * @param onGap Called with the reason why generations after the place are left out, where some are.
 */
export function* noticesAfter(
  out: string,
  view: string,
  place: NoticePlace | undefined,
  files: Store,
  onGap: (reason: string) => void,
): Generator<SentNotice> {
  const number = place === undefined ? 0 : generationNumber(place.generation)!
  const { manifests, gap } = publishedGenerations(out, view, number - 1, files)
  if (gap !== null) onGap(gap)
  for (const manifest of manifests) {
    const { generation } = manifest
    const from = generation === place?.generation ? place.row + 1 : 0
    if (generationNumber(generation) === number && generation !== place?.generation) continue
    yield* noticesOf(out, manifest, from, files)
  }
}

/** The notices of one generation from a row on. */
export function* noticesOf(out: string, manifest: Manifest, from: number, files: Store): Generator<SentNotice> {
  const { view, generation, corrections } = manifest
  let first = 0
  for (const listed of corrections) {
    const file = openListed(generationFolder(out, view, generation), listed, files)
    try {
      let row = Math.max(from, first)
      for (const values of readRows(openParquet(file), { from: row - first })) {
        const id = `${view}/${generation}/${row}`
        yield { id, place: { generation, row }, json: noticeJson(id, manifest, values) }
        row++
      }
    } finally {
      file.close()
    }
    first += listed.rows
  }
}

/** Columns whose texts are JSON already; put in as they are, so that no digit is lost. */
const jsonColumns = new Set(['key', 'old', 'new', 'steps', 'behind'])

function noticeJson(id: string, manifest: Manifest, values: Readonly<Record<string, unknown>>): string {
  const { view, generation, previous } = manifest
  const members = Object.entries({ id, view, generation, previous }).map(([name, value]) =>
    member(name, JSON.stringify(value)),
  )
  for (const [name, value] of Object.entries(values)) members.push(member(camelCase(name), textOf(name, value)))
  return `{${members.join(',')}}`
}

function member(name: string, json: string): string {
  return `${JSON.stringify(name)}:${json}`
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

function textOf(name: string, value: unknown): string {
  if (value === null) return 'null'
  if (jsonColumns.has(name)) return value as string
  if (name === 'first_published_at') return JSON.stringify(formatMoment(value as bigint, 'us'))
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}
