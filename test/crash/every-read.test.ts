import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedJob } from '../../src/job/load.ts'
import { InputError } from '../../src/model/errors.ts'
import type { Manifest } from '../../src/model/manifest.ts'
import { rebuild } from '../../src/rebuild.ts'
import { currentGenerations, leftovers } from '../support/after-fault.ts'
import { failingReads } from '../support/failing-reads.ts'
import { scratch } from '../support/logs.ts'
import { loadTwoViews, viewNames, writeLog } from '../support/two-views.ts'

/**
 * A rebuild of two views over what was published of them before, with corrections of one and events that are spilled: each
 * time it reads, lists or looks for anything, that fails once.
 */

const folder = scratch('every-read')
const before = join(folder.path, 'before')
const options = { workers: 0, memoryBytes: 8191 }
let job: LoadedJob
let old: Record<string, Manifest>
beforeAll(async () => {
  writeLog(folder.path, false)
  job = await loadTwoViews(folder.path, 1)
  await rebuild(job, { ...options, out: before })
  writeLog(folder.path, true)
  old = currentGenerations(before, viewNames)
})
afterAll(() => {
  job.dispose()
  folder.remove()
})

test('a rebuild that can’t read something fails with its name and publishes nothing, or says what it could not tell', async () => {
  const outcomes: Record<string, number> = { failed: 0, 'causes not told': 0 }
  const out = join(folder.path, 'views')
  cpSync(before, out, { recursive: true })
  for (let at = 0; ; at++) {
    const files = failingReads(at)
    const result = await rebuild(job, { ...options, out }, files).catch((error: unknown) => error)
    const path = files.failedPath
    if (path === undefined) {
      process.stdout.write(`${at} reads: ${JSON.stringify(outcomes)}\n`)
      break
    }
    const seen = currentGenerations(out, viewNames)
    const message = `Cannot read ${path}: EIO: i/o error, read.`
    if (result instanceof Error) {
      outcomes['failed']!++
      expect(result, `read ${at} of ${path}`).toBeInstanceOf(InputError)
      expect(result.message).toContain(message)
      expect((result as InputError).place.file).toBe(path)
      for (const view of viewNames) expect(seen[view]!.digest).toBe(old[view]!.digest)
    } else {
      // What a scenario reads is for the causes of corrections only.
      outcomes['causes not told']!++
      expect((result as { notes: string[] }).notes.join(), `read ${at} of ${path}`).toContain(message)
    }
    expect(leftovers(out, viewNames)).toEqual([])
    if (result instanceof Error) continue
    rmSync(out, { recursive: true })
    cpSync(before, out, { recursive: true })
  }
  for (const [outcome, count] of Object.entries(outcomes)) expect(count, outcome).toBeGreaterThan(50)
}, 240_000)
