import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, defineJob, defineLog, defineView, float64, int64, json, string } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { FilePlan, SplitPlan } from '../../src/model/plan.ts'
import type { Strategy } from '../../src/model/report.ts'
import type { LogView } from '../../src/model/view.ts'
import { findPartitions } from '../../src/plan/partitions.ts'
import { planRebuild } from '../../src/plan/plan-rebuild.ts'
import { chooseStrategy } from '../../src/plan/strategy.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRows } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('strategy')
})
afterEach(() => folder.remove())

const log = (partitionedByKey: boolean) =>
  defineLog({
    name: 'ledger',
    files: join(folder.path, '**/*.parquet'),
    columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at' },
    fields: { amount: int64() },
    partitionedByKey,
  })

type LedgerView = Omit<Parameters<typeof defineView>[0], 'log' | 'name'>
const view = (partitionedByKey: boolean, spec: Partial<LedgerView> = {}): LogView =>
  defineView({
    name: 'sums',
    log: log(partitionedByKey),
    state: { sum: int64() },
    on: { '*': () => {} },
    ...spec,
  } as never)

const small = { splits: [[0], [1]], rows: 2_000, largestRows: 1_000 }

describe('chooseStrategy()', () => {
  test('folds in place only where the log says that it is partitioned by its key', () => {
    expect(chooseStrategy([view(true)], small, undefined)).toEqual({
      strategy: 'in-place',
      reason: 'all events of a key lie in one partition',
    })
    expect(chooseStrategy([view(false)], null, undefined).strategy).toBe('shuffle')
  })

  test('folds in place states of floating-point numbers, and those that could be combined', () => {
    const merge = () => {}
    expect(chooseStrategy([view(true, { state: { sum: float64() } })], small, undefined).strategy).toBe('in-place')
    expect(chooseStrategy([view(true, { merge })], small, undefined).strategy).toBe('in-place')
    expect(chooseStrategy([view(false, { merge })], null, undefined).strategy).toBe('combine')
  })

  test.each<[Partial<LedgerView>, string]>([
    [{ state: () => ({}) }, 'a free-form state cannot travel'],
    [{ state: { any: json() } }, 'a state of JSON would travel as text'],
    [{ onError: 'quarantine' }, "an event that fails is taken out of its key's fold"],
    [{ state: { text: string() }, row: (() => null) as never }, 'row must see strings as handlers left them'],
    [{ key: { other: string() }, keyBy: (() => null) as never }, "the key is not the log's"],
  ])('says why a view is not folded in place: %j', (spec, why) => {
    const { strategy, reason } = chooseStrategy([view(true, spec)], small, undefined)
    expect(strategy).toBe('shuffle')
    expect(reason).toBe(`a key's events are folded in the log's order; not in place: ${why}`)
    expect(() => chooseStrategy([view(true, spec)], small, 'in-place')).toThrow(
      new ConfigurationError(`Cannot fold sums by the strategy in-place: ${why}.`),
    )
  })

  test('shuffles all views of a key where one of them has to be', () => {
    const free = view(true, { state: () => ({}) })
    expect(chooseStrategy([view(true), free], small, undefined).reason).toContain('of sums, a free-form state')
  })

  test('does not fold large partitions in place, nor few of a size that others could share', () => {
    const large = { splits: [[0]], rows: 1e9, largestRows: 5e6 }
    expect(chooseStrategy([view(true)], large, undefined).reason).toContain('the largest partition has 5000000 rows')
    const few = { splits: [[0], [1]], rows: 400_000, largestRows: 200_000 }
    expect(chooseStrategy([view(true)], few, undefined).reason).toContain('too many for one task')
    expect(chooseStrategy([view(true)], large, 'in-place').strategy).toBe('in-place')
  })

  test('folds several views in place only where partitions are so much smaller', () => {
    const medium = { splits: [[0]], rows: 1e9, largestRows: 200_000 }
    expect(chooseStrategy([view(true)], medium, undefined).strategy).toBe('in-place')
    expect(chooseStrategy([view(true), view(true)], medium, undefined).reason).toContain(
      '200000 rows, more than 131072',
    )
  })

  test('refuses a strategy that is impossible', () => {
    expect(() => chooseStrategy([view(false)], null, 'in-place')).toThrow(
      'log ledger does not declare partitionedByKey',
    )
    expect(() => chooseStrategy([view(false)], null, 'combine')).toThrow('no merge is declared')
  })
})

const file = (path: string, rows: number) => ({ path, rows }) as FilePlan
const split = (index: number, rows: number) => ({ file: index, rows }) as SplitPlan

test('findPartitions() joins files of the same folder values, wherever the folders lie', () => {
  const files = [file('a/x=1/0.parquet', 3), file('a/x=2/0.parquet', 4), file('b/x=1/0.parquet', 5)]
  const splits = [split(0, 1), split(0, 2), split(1, 4), split(2, 5)]
  expect(findPartitions(files, splits)).toEqual({ splits: [[0, 1, 3], [2]], rows: 12, largestRows: 8 })
})

test('findPartitions() takes a file without such a folder as a partition of its own', () => {
  const files = [file('a/0.parquet', 3), file('a/1.parquet', 4)]
  expect(findPartitions(files, [split(0, 3), split(1, 4)]).splits).toEqual([[0], [1]])
})

async function planned(strategy?: Strategy) {
  writeRows(join(folder.path, 'p=1/0.parquet'), ledgerColumns, ledgerRows(0, 3))
  writeRows(join(folder.path, 'p=1/1.parquet'), ledgerColumns, ledgerRows(6))
  writeRows(join(folder.path, 'p=2/0.parquet'), ledgerColumns, ledgerRows(1, 4))
  const job = loadedFromDefinition(defineJob({ views: [view(true)] }))
  return (await planRebuild(job, { ...(strategy && { strategy }) })).logs[0]!
}

test('a plan maps a partition as one task where views are folded in place, else each split by itself', async () => {
  expect((await planned()).mapTasks).toEqual([[0, 1], [2]])
  expect((await planned('shuffle')).mapTasks).toEqual([[0], [1], [2]])
})
