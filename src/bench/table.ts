import { formatTime } from './chart.ts'
import type { BenchResult, Entry, WorkloadResult } from './result.ts'

/** The figures as text, for whatever shows them. */

export interface Cells {
  readonly headers: readonly string[]
  /** Whether a column holds numbers. */
  readonly numeric: readonly boolean[]
  readonly rows: readonly (readonly string[])[]
}

const figureColumns = [
  'workload',
  'contender',
  'median s',
  'min – max',
  'process s',
  'events/s',
  'peak MB',
  '÷ DuckDB',
  'rows',
  'hash of rows',
  'remark',
]

export function figureCells({ workloads }: BenchResult): Cells {
  const isText = new Set(['workload', 'contender', 'hash of rows', 'remark'])
  return {
    headers: figureColumns,
    numeric: figureColumns.map((header) => !isText.has(header)),
    rows: workloads.flatMap((workload) =>
      workload.entries.map((entry, index) => cellsOf(workload, entry, index === 0)),
    ),
  }
}

function cellsOf({ workload }: WorkloadResult, entry: Entry, first: boolean): string[] {
  const { contender, figures, hashes, rows } = entry
  const name = first ? workload : ''
  if (figures === null) return [name, contender, ...Array.from({ length: 8 }, () => ''), entry.remark ?? '']
  const { seconds, wholeSeconds } = figures
  return [
    name,
    contender,
    formatTime(seconds.median),
    `${formatTime(seconds.min)} – ${formatTime(seconds.max)}`,
    formatTime(wholeSeconds.median),
    formatRate(figures.eventsPerSecond),
    (figures.peakBytes / 1e6).toFixed(0),
    figures.ratio === null ? '' : figures.ratio.toFixed(2),
    rows.toLocaleString('en'),
    hashes.map((hash) => hash.slice(0, 12)).join(' '),
    entry.remark ?? '',
  ]
}

/** `8.31 M`, `420 k` */
function formatRate(rate: number): string {
  return rate >= 999_500 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(0)} k`
}

export function meanCells({ means }: BenchResult): Cells {
  return {
    headers: ['contender', '÷ DuckDB, work', '÷ DuckDB, process', 'workloads'],
    numeric: [false, true, true, true],
    rows: means.map(({ contender, ratio, wholeRatio, workloads }) => [
      contender,
      ratio.toFixed(2),
      wholeRatio.toFixed(2),
      String(workloads),
    ]),
  }
}

/** What one has to know to read the figures. */
export function notesOf(result: BenchResult): string[] {
  const { machine, workloads } = result
  const floors = workloads.flatMap(({ workload, floor }) => {
    if (floor === null) return []
    const spread = `${formatTime(floor.median)} s (${formatTime(floor.min)} – ${formatTime(floor.max)})`
    return [`Floor of ${workload}: two threads read and decompress its columns in ${spread}.`]
  })
  const versions = result.contenders.map(({ name, version }) => `${name} ${version ?? 'not installed'}`)
  const others =
    machine.loadBefore > machine.cores / 4
      ? [`The machine was at work before it began (load ${machine.loadBefore.toFixed(1)}): the times are only a hint.`]
      : []
  return [
    ...floors,
    `${result.events.toLocaleString('en')} events, seed ${result.seed}; rounds in turn: ${result.rounds}, each in a process of its own.`,
    `${machine.processor}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${machine.system}, Node ${machine.node}.`,
    `Versions: ${versions.join(', ')}.`,
    'median s: the work alone; process s: with the start of the process; ÷ DuckDB: time relative to DuckDB, ordered, in the same round.',
    'Refold looks for duplicates in dedupe only, as the others do. Its files are flushed to the disk; those of the others are not.',
    ...others,
  ]
}
