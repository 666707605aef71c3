import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineJob, defineLog, defineView, inspectLog, int64, loadDefinition, rebuild, string } from 'refold'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listFiles } from '../../src/plan/files.ts'
import { planRebuild } from '../../src/plan/plan-rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { memoryStore } from '../support/memory-store.ts'
import { refold } from '../support/refold.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('owner')
  home = folder.path
})
afterEach(() => folder.remove())

const fields = { id: string(), amount: int64() }

function event(id: string) {
  return { id, amount: 1 }
}

function touch(path: string, text = ''): void {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}

/** What of a log that is named so is listed, below `home`. */
function list(...patterns: string[]): string[] {
  return listFiles(
    'events',
    patterns.map((pattern) => join(home, pattern)),
    disk,
  ).map((file) => file.slice(home.length + 1))
}

const uuid = '0199f3a2-7e57-7000-8000-3d6f8f6f5a01'
const removal = `{"remove":{"path":"part=1/a.parquet"}}\n`

describe.each([
  ['a Delta table', { 'table/_delta_log/00000000000000000001.json': removal }, 'delta_scan'],
  ['an Iceberg table', { [`table/metadata/00001-${uuid}.metadata.json`]: '{}' }, 'iceberg_scan'],
  ['an Iceberg table', { 'table/metadata/v1.gz.metadata.json': '' }, 'iceberg_scan'],
  ['a Hudi table', { 'table/.hoodie/hoodie.properties': '' }, 'format("hudi")'],
  ['a Paimon table', { 'table/schema/schema-0': '{}' }, 'format("paimon")'],
  ['the output of a Spark streaming query', { 'table/_spark_metadata/0': 'v1' }, 'spark.read.parquet'],
  ['the output of a Spark or Hadoop job that is not finished', { 'table/_temporary/0/x': '' }, 'Wait until the job'],
] as const)('%s', (kind, marks, advice) => {
  const refusal = new RegExp(`Cannot read log events at .*: expected a folder whose files all count, found ${kind} in `)

  beforeEach(() => {
    writeRows(join(home, 'table/part=1/a.parquet'), fields, [event('a')])
    for (const [path, text] of Object.entries(marks)) touch(path, text)
  })

  test.each([
    ['the folder', 'table'],
    ['a folder above', '.'],
    ['a partition', 'table/part=1'],
    ['a glob', 'table/**/*.parquet'],
    ['a glob below it', 'table/part=1/*.parquet'],
    ['a glob above it', '*/*/*.parquet'],
    ['a file', 'table/part=1/a.parquet'],
  ])('is refused where %s is named', (_, pattern) => {
    expect(() => list(pattern)).toThrow(refusal)
    expect(() => list(pattern)).toThrow(advice)
  })

  test('is refused where a link leads into it or it is put together from links', () => {
    symlinkSync('table/part=1', join(home, 'log'))
    symlinkSync(join(home, 'table/part=1/a.parquet'), join(home, 'a.parquet'))
    expect(() => list('log')).toThrow(refusal)
    expect(() => list('a.parquet')).toThrow(refusal)
    renameSync(join(home, 'table/part=1'), join(home, 'elsewhere'))
    symlinkSync('../elsewhere', join(home, 'table/part=1'))
    expect(() => list('table')).toThrow(refusal)
  })

  test('is refused in an object store', () => {
    const store = memoryStore()
    store.writeNew('bucket/table/part=1/a.parquet', [])
    for (const path of Object.keys(marks)) store.writeNew(`bucket/${path}`, [])
    expect(() => listFiles('events', 'bucket/table/part=1/*.parquet', store)).toThrow(refusal)
  })
})

describe('a file of a writer that is not finished, or of a table that is described elsewhere', () => {
  test.each([
    ['the working folder of a Spark or Hadoop job', 'log/_temporary/0/task_1/a.parquet'],
    ['the working folder of a Spark or Hadoop job', 'log/.spark-staging-1f/a.parquet'],
    ['the working folder of a Kafka Connect sink', 'topics/+tmp/orders/a.parquet'],
    ['a version of a transactional Hive table', 'log/delta_0000003_0000003_0000/a.parquet'],
    ['a version of a transactional Hive table', 'log/base_0000005_v0000012/a.parquet'],
    ['a DuckLake table', `log/ducklake-${uuid}.parquet`],
    ['a DuckLake table', `log/ducklake-${uuid}-delete.parquet`],
  ])('is refused as %s: %s', (kind, path) => {
    touch(path)
    expect(() => list(path)).toThrow(`found ${kind} in`)
  })

  test('is named where no Parquet file is there', () => {
    touch('data.lance/_versions/1.manifest')
    touch('data.lance/data/1f.lance')
    expect(() => list('data.lance')).toThrow('found a Lance dataset in')
    expect(() => list('data.lance/**/*.parquet')).toThrow('lance.dataset')
  })

  test('does not keep folders beside it from being read', () => {
    touch('log/_delta_log.txt')
    touch('log/day=1/a.parquet')
    touch('log/metadata/notes.json')
    touch('log/schema/readme')
    touch('table/_delta_log/0.json')
    touch('log/delta_1/a.parquet')
    touch('log/_current.json', '{"selected": 3}')
    touch('log/_manifest.json', '[]')
    expect(list('log')).toEqual(['log/day=1/a.parquet', 'log/delta_1/a.parquet'])
  })
})

const log = defineLog({ name: 'events', files: 'none', columns: { id: 'id', key: 'id' }, fields: { amount: int64() } })
const view = defineView({
  name: 'sums',
  log,
  orderFree: true,
  state: { sum: int64() },
  on: {
    '*': (state, e: { amount: number }) => {
      state.sum += e.amount
    },
  },
})

/** Publishes the view of some events. @returns The generation's folder, below `home`. */
async function publish(...ids: readonly string[]): Promise<string> {
  rmSync(join(home, 'source'), { recursive: true, force: true })
  writeRows(join(home, 'source/a.parquet'), fields, ids.map(event))
  const job = await loadDefinition(defineJob({ views: [view] }))
  const report = await rebuild(job, {
    out: join(home, 'views'),
    workers: 0,
    inputs: { events: join(home, 'source') },
  })
  return report.views[0]!.path.slice(home.length + 1)
}

describe('a view that Refold published', () => {
  let first: string
  let current: string
  beforeEach(async () => {
    first = await publish('a', 'b')
    current = await publish('a', 'b', 'c')
  })

  test.each(['views/sums', 'views', 'views/sums/**/*.parquet', 'views/sums/*/part-*.parquet', 'v*/s*/*/*.parquet'])(
    'means the part files of its current generation: %s',
    (pattern) => {
      const parts = list(pattern)
      expect(parts.length).toBeGreaterThan(0)
      expect(parts.every((path) => path.startsWith(`${current}/part-`))).toBe(true)
    },
  )

  test('means them also where it was moved and renamed, or a link leads to it', async () => {
    symlinkSync('views/sums', join(home, 'link'))
    expect(list('link')).toEqual(list('views/sums').map((path) => path.replace('views/sums', 'link')))
    cpSync(join(home, 'views/sums'), join(home, 'copy'), { recursive: true })
    expect(list('copy')).toEqual(list('views/sums').map((path) => path.replace('views/sums', 'copy')))
    expect((await inspectLog(join(home, 'copy'))).rows).toBe(3)
  })

  test('means another generation where its folder or a file of it is named', async () => {
    const [part] = list(first)
    expect(part).toMatch(`${first}/part-`)
    expect(list(part!)).toEqual([part])
    expect((await inspectLog(join(home, first))).rows).toBe(2)
    cpSync(join(home, first), join(home, 'alone'), { recursive: true })
    expect(list('alone').length).toBeGreaterThan(0)
  })

  test('is refused where a pattern finds only files of other generations', () => {
    expect(() => list('views/sums/000001-*/*.parquet')).toThrow(
      /expected files of its current generation, 000002-.*found only those of others/,
    )
  })

  test('is refused where it is damaged or holds what Refold did not write', () => {
    const [part] = list('views/sums')
    const bytes = readFileSync(join(home, part!))
    writeFileSync(join(home, part!), Buffer.from(bytes).fill(0, 8, 9))
    expect(() => list('views/sums')).toThrow(`Cannot use ${join(home, part!)}: expected`)
    rmSync(join(home, part!))
    expect(() => list('views/sums')).toThrow(/no such file|found only those of others/)
    writeFileSync(join(home, part!), bytes)
    touch(`${current}/extra.parquet`)
    expect(() => list('views/sums')).toThrow('it lists no such file')
    rmSync(join(home, current, 'extra.parquet'))
    touch('views/sums/extra.parquet')
    expect(() => list('views/sums')).toThrow('expected only generations')
    rmSync(join(home, 'views/sums/extra.parquet'))
    touch('views/sums/_current.json', '')
    expect(() => list('views/sums')).toThrow('an empty file')
  })

  test('is refused as it is being written', () => {
    touch('views/sums/_staging-0a1b2c3d-17-0011aabb/part-00000.parquet')
    expect(() => list('views/sums/_staging-0a1b2c3d-17-0011aabb/part-00000.parquet')).toThrow(
      'expected only generations',
    )
    expect(list('views/sums').every((path) => path.startsWith(current))).toBe(true)
  })
})

describe('every way to read a log', () => {
  const refusal = 'found a Delta table in'

  beforeEach(() => {
    writeRows(join(home, 'table/a.parquet'), fields, [event('a')])
    touch('table/_delta_log/00000000000000000000.json', removal)
    writeRows(join(home, 'plain/a.parquet'), fields, [event('a')])
  })

  function writeJob(files: string): string {
    touch(
      'job.ts',
      `import { defineJob, defineLog, defineView, int64 } from 'refold'
const log = defineLog({ name: 'events', files: ${JSON.stringify(join(home, files))}, columns: { id: 'id', key: 'id' }, fields: { amount: int64() } })
export const sums = defineView({ name: 'sums', log, orderFree: true, state: { sum: int64() }, on: { '*': (state, e) => { state.sum += e.amount } } })
export default defineJob({ views: [sums] })`,
    )
    return join(home, 'job.ts')
  }

  test('refuses it: inspect, plan, rebuild, trace and --input', () => {
    const job = writeJob('table/*.parquet')
    const out = ['--out', join(home, 'views')]
    for (const parameters of [
      ['inspect', join(home, 'table')],
      ['inspect', job],
      ['plan', job, ...out],
      ['rebuild', job, ...out],
      ['trace', 'sums', 'a', '--job', job, ...out],
    ]) {
      const { exitCode, stderr } = refold(parameters)
      expect(stderr).toContain(refusal)
      expect(exitCode).toBe(1)
    }
    const plain = writeJob('plain/*.parquet')
    const input = ['--input', `events=${join(home, 'table')}`]
    expect(refold(['rebuild', plain, ...out, ...input]).stderr).toContain(refusal)
    expect(refold(['rebuild', plain, ...out]).exitCode).toBe(0)
  })

  test('refuses it: programs', async () => {
    await expect(inspectLog(join(home, 'table'))).rejects.toThrow(refusal)
    const job = await loadDefinition(defineJob({ views: [view] }))
    const inputs = { events: join(home, 'table') }
    await expect(planRebuild(job, { inputs })).rejects.toThrow(refusal)
    await expect(rebuild(job, { inputs, out: join(home, 'views'), workers: 0 })).rejects.toThrow(refusal)
  })
})
