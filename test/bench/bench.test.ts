import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contenders } from '../../src/bench/contender.ts'
import { Contestant } from '../../src/bench/contest.ts'
import { installedVersion } from '../../src/bench/installed.ts'
import type { BenchResult } from '../../src/bench/result.ts'
import { workloadOf } from '../../src/bench/workloads.ts'
import { refold } from '../support/refold.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-bench-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('refold bench runs every contender, compares their rows and writes the reports', { timeout: 60_000 }, () => {
  const [data, out] = [join(folder, 'data'), join(folder, 'results')]
  const options = ['--size', 'smoke', '--rounds', '1', '--data', data, '--out', out, '--json', '--quiet']
  const ran = refold(['bench', ...options, '--workload', 'balances', '--workload', 'daily'])
  expect(ran.stderr).toBe('')
  expect(ran.exitCode).toBe(0)
  const result = JSON.parse(ran.stdout) as BenchResult
  expect(result).toMatchObject({ size: 'smoke', events: 100_000, seed: 42, rounds: 1 })
  expect(result.workloads.map(({ workload, agreed }) => [workload, agreed])).toEqual([
    ['balances', true],
    ['daily', true],
  ])
  expect(result.workloads[0]!.floor!.median).toBeGreaterThan(0)
  for (const { entries } of result.workloads) {
    expect(entries.map(({ contender }) => contender)).toEqual(contenders.map(({ name }) => name))
    for (const { contender, hashes, figures, remark } of entries) {
      const source = contenders.find(({ name }) => name === contender)!.package
      if (source !== undefined && installedVersion(source) === undefined) {
        expect(remark).toBe(`not installed (${source})`)
      } else {
        expect(hashes).toEqual(entries[0]!.hashes)
        expect(figures!.peakBytes).toBeGreaterThan(1e7)
        expect(figures!.wholeSeconds.median).toBeGreaterThan(figures!.seconds.median)
      }
    }
  }
  const [html, json, svg] = readdirSync(out)
    .sort()
    .map((name) => readFileSync(join(out, name), 'utf8'))
  expect(JSON.parse(json!)).toEqual(result)
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s)
  expect(html).toContain('<h2>Geometric means</h2>')
  // What contenders wrote is gone, the logs are kept.
  expect(readdirSync(join(data, 'smoke-42')).sort()).toEqual(['plain', 'plain-without-dictionaries'])
})

test.each([
  [['--size', '3m'], '--size: expected smoke, 1m, 10m, 100m, found 3m. Did you mean 1m?'],
  [['--workload', 'balance'], 'found balance. Did you mean balances?'],
  [['--contender', 'duck'], '--contender: expected duckdb, '],
  [['--rounds', '0'], '--rounds: expected a whole number from 1 to 1000, found 0.'],
])('refold bench %o ends with 2 before it makes anything', (parameters, message) => {
  const data = join(folder, 'nothing')
  const ran = refold(['bench', ...parameters, '--data', data])
  expect(ran.stderr).toContain(message)
  expect(ran.exitCode).toBe(2)
  expect(existsSync(data)).toBe(false)
})

test.each(['hyparquet', 'parquetjs-lite'])('a contender that fails is reported with the reason: %s', async (name) => {
  const contender = contenders.find((candidate) => candidate.name === name)!
  const contestant = new Contestant(contender, workloadOf('balances'), null)
  const ledger = { folder, files: [join(folder, 'absent.parquet')], rows: 0, bytes: 0 }
  await contestant.run(ledger, join(folder, 'scratch'), undefined)
  expect(contestant.stopped).toBe(true)
  const entry = contestant.entry(undefined, 100)
  expect(entry).toMatchObject({ failed: true, figures: null, hashes: [] })
  expect(entry.remark).toMatch(/^failed: .*absent\.parquet/)
})
