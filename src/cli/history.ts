import { OutputError } from '../model/errors.ts'
import {
  findCurrent,
  generationFolder,
  listGenerations,
  listViews,
  readCurrent,
  readManifest,
  writtenAt,
} from '../storage/generations.ts'
import { ExitCode } from './failure.ts'
import { toJson } from './json.ts'
import { formatBytes, formatCount } from './numbers.ts'
import { renderTable } from './table.ts'
import { defineVerb, outOption } from './verb.ts'

interface GenerationEntry {
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
  readonly digest: string | null
  readonly path: string
}

const hashDigitsShown = 12

export const history = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name; all views where none is named", optional: true }],
  options: outOption,
  examples: [
    ['balances', 'its generations, oldest first; * marks the current one'],
    ['--json', 'those of all views, for a program'],
  ],
  async run(given, { output }) {
    const [wanted] = given.values
    const note = (reason: string) => output.note(reason)
    if (wanted !== undefined && !listViews(given.out).includes(wanted)) readCurrent(given.out, wanted)
    const views = wanted === undefined ? listViews(given.out) : [wanted]
    const entries = views.flatMap((view) => entriesOf(given.out, view, note))
    if (given.json) await output.result(toJson(entries))
    else if (entries.length === 0) output.note(`There are no views in ${given.out}.`)
    else await output.result(describeEntries(entries, output.width))
    return ExitCode.done
  },
})

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
      digest,
    }
  })
}

/** What is damaged is told, and keeps nothing else from being listed. */
function orDamaged<T>(read: () => T, onDamage: (reason: string) => void): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof OutputError)) throw error
    onDamage(error.message)
    return undefined
  }
}

/** What a damaged manifest doesn't tell. */
const unknown = {
  writtenAt: null,
  rows: null,
  keys: null,
  bytes: null,
  knownAt: null,
  asOf: null,
  fingerprint: null,
  digest: null,
}

function describeEntries(entries: readonly GenerationEntry[], width?: number): string {
  const right = 'right' as const
  const columns = [
    { header: 'view' },
    { header: '' },
    { header: 'generation' },
    { header: 'written' },
    { header: 'rows', align: right },
    { header: 'keys', align: right },
    { header: 'size', align: right },
    { header: 'logic' },
    { header: 'options' },
  ]
  const rows = entries.map((entry) => [
    entry.view,
    entry.current ? '*' : '',
    entry.generation,
    entry.writtenAt === null ? 'damaged' : `${entry.writtenAt.slice(0, 19)}Z`,
    entry.rows === null ? '' : formatCount(entry.rows),
    entry.keys === null ? '' : formatCount(entry.keys),
    entry.bytes === null ? '' : formatBytes(entry.bytes),
    entry.fingerprint?.slice(0, hashDigitsShown) ?? '',
    [entry.knownAt && `known at ${entry.knownAt}`, entry.asOf && `as of ${entry.asOf}`].filter(Boolean).join(', '),
  ])
  return renderTable(columns, rows, width)
}
