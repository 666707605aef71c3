import { expect, test } from 'vitest'
import { drawChart } from '../../src/bench/chart.ts'
import {
  type BenchResult,
  disagreementsOf,
  type Entry,
  geometricMean,
  meansOf,
  spreadOf,
  type WorkloadResult,
} from '../../src/bench/result.ts'
import { figureCells, notesOf } from '../../src/bench/table.ts'
import { exitCodeOf } from '../../src/cli/bench.ts'

function entry(
  contender: string,
  seconds: readonly number[],
  rest: Partial<Entry> = {},
  ratio: number | null = 1,
): Entry {
  const spread = spreadOf(seconds)
  const figures = {
    seconds: spread,
    wholeSeconds: spread,
    peakBytes: 1e8,
    eventsPerSecond: 1e5 / spread.median,
    ratio,
    wholeRatio: ratio,
  }
  return { contender, remark: null, failed: false, rows: 3, hashes: ['aaaa'], figures, ...rest }
}

function workload(name: string, entries: readonly Entry[], agreed = true): WorkloadResult {
  return { workload: name, summary: 'sums & counts', logBytes: 1, floor: spreadOf([0.1]), entries, agreed }
}

function result(workloads: readonly WorkloadResult[]): BenchResult {
  const machine = { processor: 'P', cores: 2, memoryBytes: 2 ** 34, system: 'S', node: '24.0.0', loadBefore: 0 }
  return {
    ...{ startedAt: '2026-01-31T12:00:00.000Z', size: 'smoke', events: 100_000, seed: 42, rounds: 3, machine },
    ...{ contenders: [{ name: 'polars', summary: '', version: null }], workloads, means: meansOf(workloads) },
  }
}

const missing: Entry = {
  ...{
    contender: 'polars',
    remark: 'not installed (nodejs-polars)',
    failed: false,
    rows: 0,
    hashes: [],
    figures: null,
  },
}

test('spreadOf() gives the middle of odd and of even counts, and keeps the order of the rounds', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, all: [3, 1, 2] })
  expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5)
})

test('geometricMean() of a ratio and its inverse is one', () => {
  expect(geometricMean([4, 0.25])).toBeCloseTo(1)
})

test('meansOf() takes the workloads in which a contender has a ratio', () => {
  const means = meansOf([
    workload('balances', [entry('duckdb', [1]), entry('refold-2', [1], {}, 2), missing]),
    workload('five', [entry('duckdb', [1]), entry('refold-2', [1], {}, 8), entry('hyparquet', [1], {}, null)]),
  ])
  expect(means.map(({ contender, workloads }) => [contender, workloads])).toEqual([
    ['duckdb', 2],
    ['refold-2', 2],
  ])
  expect(means[1]!.ratio).toBeCloseTo(4)
})

test('disagreementsOf() says who came to which rows', () => {
  const other = entry('refold-2', [1], { hashes: ['bbbb'] })
  expect(disagreementsOf(workload('daily', [entry('duckdb', [1]), entry('polars', [1]), other], false))).toEqual([
    'daily: duckdb, polars gave rows aaaa',
    'daily: refold-2 gave rows bbbb',
  ])
  expect(disagreementsOf(workload('daily', [entry('duckdb', [1])]))).toEqual([])
})

test('exitCodeOf() is 4 for different rows, 1 for a contender that failed, else 0', () => {
  const failed = { ...missing, failed: true, remark: 'failed: out of memory' }
  const lines: string[] = []
  const note = (line: string) => void lines.push(line)
  expect(exitCodeOf(result([workload('daily', [entry('duckdb', [1]), missing])]), note)).toBe(0)
  expect(lines).toEqual([])
  expect(exitCodeOf(result([workload('daily', [failed])]), note)).toBe(1)
  expect(lines).toEqual(['refold: daily: polars failed: out of memory'])
  const different = workload('daily', [failed, entry('duckdb', [1]), entry('x', [1], { hashes: ['bbbb'] })], false)
  expect(exitCodeOf(result([different]), note)).toBe(4)
  expect(lines).toContain('daily: x gave rows bbbb')
})

test('the table says why there are no figures', () => {
  const { headers, rows } = figureCells(result([workload('balances', [entry('duckdb', [0.5]), missing])]))
  for (const row of rows) expect(row).toHaveLength(headers.length)
  expect(rows[1]!.at(-1)).toBe('not installed (nodejs-polars)')
  expect(notesOf(result([workload('balances', [])])).join('\n')).toContain('polars not installed')
})

test('the chart escapes what it shows and cuts a bar that would shrink all others', () => {
  const chart = drawChart(
    result([workload('balances', [entry('duckdb', [1]), entry('<slow>', [90]), missing]), workload('none', [])]),
  )
  expect(chart).toContain('sums &amp; counts')
  expect(chart).toContain('&lt;slow&gt;')
  expect(chart.match(/bar cut/g)).toHaveLength(1)
  expect(chart).not.toMatch(/NaN|undefined|Infinity/)
})
