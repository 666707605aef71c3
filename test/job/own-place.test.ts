import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadJob, openView, rebuild } from 'refold'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { loadKeptLogic } from '../../src/scenario/kept-logic.ts'
import { disk } from '../../src/storage/disk.ts'
import { generationFolder } from '../../src/storage/generations.ts'
import { scratch, writeRows } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('place')
  home = folder.path
})
afterEach(() => folder.remove())

function write(path: string, text: string): string {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return join(home, path)
}

const columns = `columns: { id: 'id', occurredAt: 'at', recordedAt: 'at' }, fields: { amount: int64() }`
const window = `window: { name: 'day', every: 'day', allowedLateness: '1 day', late: 'apply' }`

/** A project: a job that reads its factor and finds its log beside itself, and a module further down. */
function writeProject(at: string): string {
  writeRows(join(home, at, 'data/log.parquet'), { id: string(), at: timestamp(), amount: int64() }, [
    { id: 'a', at: 0, amount: 5 },
  ])
  write(`${at}/jobs/factor.json`, '3')
  write(
    `${at}/jobs/lib/deep.ts`,
    `import { readFileSync } from 'node:fs'
export const places: string[] = [import.meta.url, import.meta.dirname, import.meta.filename]
export const factor = Number(readFileSync(new URL('../factor.json', import.meta.url), 'utf8'))`,
  )
  return write(
    `${at}/jobs/job.ts`,
    `import { defineJob, defineLog, defineView, int64 } from 'refold'
import { fileURLToPath } from 'node:url'
import { factor, places } from './lib/deep.ts'
const here: string = import.meta.dirname
const log = defineLog({ name: 'events', files: [here + '/../data/*.parquet', fileURLToPath(import.meta.url) + '.none', ...places].slice(0, 1), ${columns} })
export const seen = [import.meta.url, import.meta.dirname, import.meta.filename, ...places]
export const sums = defineView({ name: 'sums', log, ${window}, state: { sum: int64() },
  on: { '*': (state: { sum: number }, e: { amount: number }) => { state.sum += e.amount * factor } } })
export default defineJob({ views: [sums] })`,
  )
}

describe('import.meta in a job', () => {
  test("means the job's own place, and that of each module it imports", async () => {
    const path = writeProject('one')
    const job = await loadJob(path)
    const { seen } = await import(pathToFileURL(job.bundlePath!).href)
    const deep = join(home, 'one/jobs/lib/deep.ts')
    expect(seen).toEqual([
      ...[pathToFileURL(path).href, dirname(path), path],
      ...[pathToFileURL(deep).href, dirname(deep), deep],
    ])
    job.dispose()
  })

  test('is the same in threads and in kept logic, and leaves fingerprint and digest alone', async () => {
    const published = []
    for (const [at, workers] of [
      ['one', 0],
      ['two', 1],
    ] as const) {
      const job = await loadJob(writeProject(at))
      const out = join(home, at, 'views')
      published.push((await rebuild(job, { out, workers })).views[0]!)
      job.dispose()
      const view = await openView(out, 'sums')
      for await (const row of view.rows()) expect(row).toMatchObject({ sum: 15 })
      view.close()
      const generation = { folder: generationFolder(out, 'sums', view.generation), manifest: view.manifest }
      const kept = await loadKeptLogic(generation, disk)
      expect(kept.definition.views[0]!.log!.files).toEqual([`${join(home, at, 'jobs')}/../data/*.parquet`])
      expect(kept.fingerprints.get('sums')).toBeDefined()
      kept.dispose()
    }
    expect(published[0]!.fingerprint).toBe(published[1]!.fingerprint)
    expect(published[0]!.digest).toBe(published[1]!.digest)
    expect(published[0]!.generation).toBe(published[1]!.generation)
  })

  test('leaves the places of errors in the file itself', async () => {
    const path = write('job.ts', `const here: string = import.meta.dirname\n\nthrow new Error('at ' + here)`)
    await expect(loadJob(path)).rejects.toThrow(`it threw while it was imported, at ${path}:3:`)
    const broken = write('broken.ts', `const here: string = import.meta.dirname\nconst = 1`)
    await expect(loadJob(broken)).rejects.toThrow(`${broken}:2:7: Expected identifier but found "="`)
  })
})

const body = `const log = defineLog({ name: 'events', files: HERE, columns: { id: 'id', key: 'id' }, fields: { amount: int64() } })
const sums = defineView({ name: 'sums', log, orderFree: true, state: { sum: int64() }, on: { '*': (state, e) => { state.sum += e.amount } } })`
const names = '{ defineJob, defineLog, defineView, int64 }'
const asModule = `import ${names} from 'refold'
${body.replace('HERE', 'import.meta.dirname')}
export { sums }
export default defineJob({ views: [sums] })`

describe('a job', () => {
  test.each([
    ['job.ts', asModule],
    ['job.mts', asModule],
    ['job.js', asModule],
    ['job.mjs', asModule],
    ['job.cts', asModule.replace('import.meta.dirname', '__dirname')],
    [
      'job.cjs',
      `const ${names} = require('refold')\n${body.replace('HERE', '__dirname')}\nmodule.exports = defineJob({ views: [sums] })`,
    ],
    [
      'compiled.cjs',
      `"use strict"\nObject.defineProperty(exports, '__esModule', { value: true })\nconst ${names} = require('refold')\n${body.replace('HERE', 'require("node:path").dirname(__filename)')}\nexports.sums = sums\nexports.default = defineJob({ views: [sums] })`,
    ],
  ])('may be a file %s', async (name, text) => {
    writeRows(join(home, 'log.parquet'), { id: string(), amount: int64() }, [{ id: 'a', amount: 1 }])
    const job = await loadJob(write(name, text))
    expect(job.definition.views[0]!.log!.files).toBe(home)
    const report = await rebuild(job, { out: join(home, 'views'), workers: 1 })
    expect(report.views[0]).toMatchObject({ rows: 1 })
    const before = job.fingerprints.get('sums')
    job.dispose()
    cpSync(join(home, name), join(home, 'elsewhere', name))
    const moved = await loadJob(join(home, 'elsewhere', name))
    expect(moved.fingerprints.get('sums')).toBe(before)
    moved.dispose()
  })
})
