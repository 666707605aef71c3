import { join, posix } from 'node:path'
import { defineLog, defineView, int64, string } from 'refold'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { listFiles } from '../../src/plan/files.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { noticesOf, publishedGenerations } from '../../src/read/notices.ts'
import { disk } from '../../src/storage/disk.ts'
import {
  generationFolder,
  listGenerations,
  listViews,
  readCurrent,
  readManifest,
  resolveGeneration,
  writtenAt,
} from '../../src/storage/generations.ts'
import { damageOf, openListed } from '../../src/storage/listed-file.ts'
import type { Store } from '../../src/storage/store.ts'
import { type CorrectedView, correctedView } from '../support/corrected-view.ts'
import { scratch } from '../support/logs.ts'
import { memoryStore } from '../support/memory-store.ts'

/** What only reads takes a `Store`: here the log and the views of a rebuild, copied into one that is no disk. */

const folder = scratch('object-store')
let view: CorrectedView
let store: Store
beforeAll(async () => {
  view = correctedView(folder.path)
  const events = ['north', 'south'].flatMap((region) =>
    [1, 2, 3].map((day) => ({ id: `${region}${day}`, region, day, recordedDay: day, cases: day })),
  )
  view.setLog(events)
  await view.publish(1)
  view.setLog([...events, { id: 'late', region: 'north', day: 2, recordedDay: 4, cases: 10 }])
  await view.publish(1)
  store = memoryStore()
  for (const name of ['log', 'views']) copy(join(folder.path, name), store)
})
afterAll(() => folder.remove())

function copy(path: string, to: Store): void {
  if (disk.stat(path)?.kind === 'folder') {
    for (const { name } of disk.list(path)) copy(join(path, name), to)
  } else {
    const file = disk.openForReading(path)
    to.writeNew(path, [file.read(0, file.byteLength)])
    file.close()
  }
}

function rowsOf(files: Store): unknown[] {
  const manifest = readManifest(view.out, 'cases', readCurrent(view.out, 'cases', files).generation, files)
  return manifest.files.flatMap((listed) => {
    const file = openListed(generationFolder(view.out, 'cases', manifest.generation), listed, files)
    try {
      return [...readRows(openParquet(file))]
    } finally {
      file.close()
    }
  })
}

describe('a published view', () => {
  test('is found and read: current generation, manifest, parts', () => {
    expect(listViews(view.out, store)).toEqual(['cases'])
    expect(listGenerations(view.out, 'cases', store)).toEqual(listGenerations(view.out, 'cases', disk))
    expect(resolveGeneration(view.out, 'cases', '1', store)).toMatch(/^000001-/)
    const { generation } = readCurrent(view.out, 'cases', store)
    expect(generation).toMatch(/^000002-/)
    expect(readManifest(view.out, 'cases', generation, store)).toEqual(
      readManifest(view.out, 'cases', generation, disk),
    )
    expect(writtenAt(view.out, 'cases', generation, store)).toBe(writtenAt(view.out, 'cases', generation, disk))
    expect(rowsOf(store)).toHaveLength(6)
    expect(rowsOf(store)).toEqual(rowsOf(disk))
  })

  test('is checked against its manifest', () => {
    const { generation } = readCurrent(view.out, 'cases', store)
    const [part] = readManifest(view.out, 'cases', generation, store).files
    const path = generationFolder(view.out, 'cases', generation)
    expect(damageOf(path, part!, store)).toBeUndefined()
    expect(damageOf(path, { ...part!, name: 'part-00077.parquet' }, store)).toBe('no such file')
    expect(damageOf(path, { ...part!, sha256: 'ab' }, store)).toBe(`the SHA-256 ${part!.sha256}`)
  })

  test('tells its corrections', () => {
    const [first, second] = publishedGenerations(view.out, 'cases', 0, store).manifests
    expect([...noticesOf(view.out, first!, 0, store)]).toEqual([])
    const notices = [...noticesOf(view.out, second!, 0, store)]
    expect(notices.map(({ json }) => JSON.parse(json).cause)).toEqual(['late data', 'late data'])
    expect(notices).toEqual([...noticesOf(view.out, second!, 0, disk)])
  })
})

describe('a log', () => {
  const cases = (files: string) =>
    defineView({
      name: 'cases',
      log: defineLog({
        name: 'cases',
        files,
        columns: { id: 'id', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
        fields: { region: string(), cases: int64(), partition: string() },
      }),
      key: { region: string() },
      keyBy: (e) => ({ region: e.region }),
      state: { total: int64() },
      on: {
        '*': (state, e) => {
          state.total += e.cases
        },
      },
    })

  test('is planned from its listing and footers', () => {
    const plan = (files: Store) =>
      makePlan({
        job: 'cases',
        views: [cases(`${folder.path}/log/**/*.parquet`)],
        fieldsRead: () => 'all',
        returnsOf: () => 'nothing',
        files,
      })
    expect(plan(store).logs[0]!.rows).toBe(7)
    expect(plan(store)).toEqual(plan(disk))
  })

  test.each(['events', './events', '/events'])('is listed by patterns, folders and names below %s', (root) => {
    const bucket = memoryStore()
    const sound = ['p=1/a.parquet', 'p=1/deep/b.parquet', 'p=2/c.parquet']
    const skipped = ['_work/d.parquet', 'p=2/_e.parquet', 'p=2/.f.parquet', 'p=2/g.csv']
    for (const name of [...sound, ...skipped]) bucket.writeNew(`${root}/${name}`, [])
    const list = (...patterns: readonly string[]) => listFiles('events', patterns, bucket)
    const paths = sound.map((name) => posix.join(root, name))
    expect(list(`${root}/**/*.parquet`)).toEqual(paths)
    expect(list(root)).toEqual(paths)
    expect(list(`${root}/p={1,2}/?.parquet`)).toEqual([paths[0], paths[2]])
    expect(list(`${root}/p=2/_e.parquet`, `${root}/p=2`, paths[2]!)).toEqual([`${root}/p=2/_e.parquet`, paths[2]])
    expect(() => list(`${root}/p=3/*.parquet`)).toThrow('but no file matches it')
    expect(() => list(`${root}/_work/**/e.parquet`)).toThrow(InputError)
  })

  test('is refused where a folder of it can’t be listed', () => {
    const bucket = memoryStore()
    for (const name of ['p=1/a.parquet', 'p=2/b.parquet']) bucket.writeNew(`events/${name}`, [])
    const failing: Store = {
      ...bucket,
      list(path) {
        if (path.endsWith('p=2')) throw new InputError(`Cannot read ${path}: permission denied.`, { file: path })
        return bucket.list(path)
      },
    }
    expect(() => listFiles('events', 'events/**/*.parquet', failing)).toThrow(
      'Cannot read events/p=2: permission denied.',
    )
    expect(listFiles('events', 'events/p=1/*.parquet', failing)).toEqual(['events/p=1/a.parquet'])
  })
})
