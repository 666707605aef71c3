import { parseJson } from '../columns/exact-json.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import { disk } from '../storage/disk.ts'
import { generationNumber } from '../storage/generations.ts'
import { correctedGenerations } from './corrections.ts'
import { type ChangedRow, type NamedGeneration, ViewComparison } from './diff.ts'
import { filesOfKey, rowsOfKey } from './find-rows.ts'
import { type GenerationEntry, historyOf } from './history.ts'
import { type Key, parseKey, partsOf } from './key-text.ts'
import type { NamedColumn } from './named-column.ts'
import { noticesOf } from './notices.ts'
import { type OrderedOptions, orderedBatches } from './ordered-rows.ts'
import { PartCache } from './part-cache.ts'
import { programRows, type Row } from './program-rows.ts'
import { firstRows } from './rows.ts'
import { tieredRows, tiers } from './tier.ts'
import { readTriangle } from './triangle-file.ts'
import { type TriangleReport, triangleReport } from './triangle-rows.ts'
import type {
  Correction,
  CorrectionsOptions,
  DiffOptions,
  HistoryOptions,
  OpenOptions,
  RowChange,
  RowsOptions,
  TriangleOptions,
  View,
  ViewDiff,
} from './view.ts'
import { type FoundView, findView, openParts } from './view-files.ts'

/** See `openView` of the door. */
export function openGeneration(folder: string, name: string, { generation }: OpenOptions): View {
  return new PublishedView(folder, findView(folder, name, textOf(generation)))
}

function textOf(generation: string | number | undefined): string | undefined {
  return generation === undefined ? undefined : String(generation)
}

class PublishedView implements View {
  readonly name: string
  readonly generation: string
  readonly columns: readonly ManifestColumn[]
  readonly manifest: Manifest
  readonly #out: string
  readonly #found: FoundView
  readonly #parts: PartCache

  constructor(out: string, found: FoundView) {
    const { manifest, folder } = found
    this.name = manifest.view
    this.generation = manifest.generation
    this.columns = [...manifest.key, ...manifest.columns]
    this.manifest = manifest
    this.#out = out
    this.#found = found
    this.#parts = new PartCache(folder)
  }

  async *rows({ columns, limit, tier }: RowsOptions = {}): AsyncGenerator<Row> {
    requireColumns(this, columns)
    if (tier !== undefined && !tiers.includes(tier))
      throw new ConfigurationError(`View ${this.name}: expected the tier ${tiers.join(' or ')}, found ${String(tier)}.`)
    const most = limit ?? Number.POSITIVE_INFINITY
    if (!(most >= 0))
      throw new ConfigurationError(`View ${this.name}: expected a limit of 0 or more rows, found ${most}.`)
    const readAll = () => batchesOf(this.#found, tier === undefined ? { columns, limit: most } : {})
    const batches = tier === undefined ? readAll() : tieredRows(this.#found, tier, `tier ${tier}`, readAll).batches
    for (const batch of firstRows(batches, Math.floor(most))) {
      yield* programRows(selected(batch, columns, this.columns), this.columns)
    }
  }

  async get(key: Key): Promise<readonly Row[]> {
    const { manifest } = this
    const values = parseKey(manifest, partsOf(manifest, key))
    if (values.length === 0) throw new ConfigurationError(`View ${this.name}: expected values of a key, found none.`)
    return filesOfKey(manifest, values).flatMap((file) => {
      const { batches } = rowsOfKey({ manifest, parts: [this.#parts.open(file)] }, values)
      return [...batches].flatMap((batch) => [...programRows(batch, this.columns)])
    })
  }

  async history({ onDamage }: HistoryOptions = {}): Promise<readonly GenerationEntry[]> {
    return historyOf(this.#out, this.name, onDamage ?? (() => {}))
  }

  async diff({ before, after, allColumns }: DiffOptions = {}): Promise<ViewDiff> {
    const now = after === undefined ? this.#found : findView(this.#out, this.name, textOf(after))
    const previous = before ?? now.manifest.previous
    if (previous === null) {
      throw new ConfigurationError(
        `Cannot compare generation ${now.manifest.generation} of view ${this.name} with the one before: it is the first. Name another as before.`,
      )
    }
    const old = findView(this.#out, this.name, textOf(previous))
    return diffOf(() => new ViewComparison(named(old), named(now), allColumns ?? false))
  }

  async *corrections({ since, onGap }: CorrectionsOptions = {}): AsyncGenerator<Correction> {
    const which = since === undefined ? { generation: this.generation } : { since: textOf(since) }
    const names = { view: 'corrections', since: 'since' }
    const { manifests, gap } = correctedGenerations(this.#out, this.name, which, names)
    if (gap !== null) onGap?.(gap)
    const own = generationNumber(this.generation)!
    for (const manifest of manifests) {
      if (generationNumber(manifest.generation)! > own) continue
      for (const { json } of noticesOf(this.#out, manifest, 0, disk)) {
        yield parseJson(json, (digits) => BigInt(digits)) as Correction
      }
    }
  }

  async triangle({ counted, incremental, windows, delays }: TriangleOptions = {}): Promise<TriangleReport> {
    const read = readTriangle(this.#found, counted ?? 'measure', 'triangle')
    return triangleReport(this.#found, read, {
      incremental: incremental ?? false,
      windows: windows ?? Number.POSITIVE_INFINITY,
      delays: delays ?? Number.POSITIVE_INFINITY,
    })
  }

  close(): void {
    this.#parts.close()
  }
}

function requireColumns({ name, columns }: View, wanted: readonly string[] | undefined): void {
  if (wanted?.length === 0) throw new ConfigurationError(`View ${name}: expected at least one column, found none.`)
  const unknown = wanted?.find((column) => !columns.some((candidate) => candidate.name === column))
  if (unknown === undefined) return
  const names = columns.map((column) => column.name).join(', ')
  throw new ConfigurationError(`View ${name} has no column "${unknown}": it has ${names}.`)
}

/** All part files are open at a time, as rows are in the order of their keys. */
function* batchesOf(found: FoundView, options: OrderedOptions): Generator<readonly NamedColumn[]> {
  const opened = openParts(found, found.manifest.files)
  try {
    yield* orderedBatches(opened, options)
  } finally {
    opened.close()
  }
}

/** The columns that are wanted, and those that a tier adds. */
function selected(
  batch: readonly NamedColumn[],
  wanted: readonly string[] | undefined,
  declared: readonly ManifestColumn[],
): readonly NamedColumn[] {
  if (wanted === undefined) return batch
  const added = batch.filter(({ name }) => !declared.some((column) => column.name === name))
  return [...wanted.map((name) => batch.find((column) => column.name === name)!), ...added]
}

function named(found: FoundView): NamedGeneration {
  const { view, generation } = found.manifest
  return { ...found, title: `View ${view}, generation ${generation},` }
}

/** @param compare Begins a comparison, of which each counts for itself. */
function diffOf(compare: () => ViewComparison): ViewDiff {
  const { before, after, columns } = compare()
  return {
    before: before.manifest.generation,
    after: after.manifest.generation,
    columns: {
      compared: columns.both.map(({ name }) => name),
      added: columns.added.map(({ name }) => name),
      removed: columns.removed.map(({ name }) => name),
    },
    async *changes() {
      for (const difference of compare().differences()) yield changeOf(difference.values(), after.manifest)
    },
    async count() {
      const comparison = compare()
      comparison.countAll()
      const { keys, rows, columns, changedRows } = comparison
      return {
        keys: { ...keys },
        rows,
        columns: columns.both.map(({ name }, index) => ({ name, rows: changedRows[index]! })),
      }
    },
  }
}

function changeOf({ kind, key, ordinal, old, new: now }: ChangedRow<unknown>, manifest: Manifest): RowChange {
  return {
    change: kind,
    key: Object.fromEntries(manifest.key.map(({ name }, index) => [name, key[index]])),
    row: ordinal,
    old: kind === 'added' ? null : Object.fromEntries(old),
    new: kind === 'removed' ? null : Object.fromEntries(now),
  }
}
