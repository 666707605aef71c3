import { statSync } from 'node:fs'
import {
  findCurrent,
  generationFolder,
  listGenerations,
  listViews,
  manifestPath,
  readCurrent,
  readManifest,
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
  /** When its manifest was written, ISO 8601. */
  readonly writtenAt: string
  readonly rows: number
  readonly keys: number
  readonly bytes: number
  readonly knownAt: string | null
  readonly asOf: string | null
  readonly fingerprint: string
  readonly digest: string
  readonly path: string
}

const hashDigitsShown = 12

export const history = defineVerb({
  summary: 'List the generations of a view',
  positionals: [{ name: 'view', describe: "The view's name; all views where none is named", optional: true }],
  options: outOption,
  examples: [
    ['balances', 'its generations, oldest first; * marks the current one'],
    ['--json', 'those of all views, for a program'],
  ],
  async run(given, { output }) {
    const [wanted] = given.values
    if (wanted !== undefined) readCurrent(given.out, wanted)
    const views = wanted === undefined ? listViews(given.out) : [wanted]
    const entries = views.flatMap((view) => entriesOf(given.out, view))
    if (given.json) await output.result(toJson(entries))
    else if (entries.length === 0) output.note(`There are no views in ${given.out}.`)
    else await output.result(describeEntries(entries, output.width))
    return ExitCode.done
  },
})

function entriesOf(out: string, view: string): GenerationEntry[] {
  const current = findCurrent(out, view)?.generation
  return listGenerations(out, view).map((generation) => {
    const path = generationFolder(out, view, generation)
    const { rows, keys, files, options, fingerprint, digest } = readManifest(out, view, generation)
    return {
      view,
      generation,
      current: generation === current,
      writtenAt: statSync(manifestPath(path)).mtime.toISOString(),
      rows,
      keys,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      knownAt: options.knownAt,
      asOf: options.asOf,
      fingerprint,
      digest,
      path,
    }
  })
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
    `${entry.writtenAt.slice(0, 19)}Z`,
    formatCount(entry.rows),
    formatCount(entry.keys),
    formatBytes(entry.bytes),
    entry.fingerprint.slice(0, hashDigitsShown),
    [entry.knownAt && `known at ${entry.knownAt}`, entry.asOf && `as of ${entry.asOf}`].filter(Boolean).join(', '),
  ])
  return renderTable(columns, rows, width)
}
