import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedJob } from '../../src/job/load.ts'
import { OutputError } from '../../src/model/errors.ts'
import type { Manifest } from '../../src/model/manifest.ts'
import type { RebuildReport } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import { listGenerations } from '../../src/storage/generations.ts'
import { bury, checksumsOf, currentGenerations, leftovers, readWhole, stateOf } from '../support/after-fault.ts'
import { type Fault, type FaultyFiles, faultyFiles, Killed } from '../support/faulty-files.ts'
import { scratch } from '../support/logs.ts'
import { loadTwoViews, viewNames, writeLog } from '../support/two-views.ts'

/**
 * A rebuild of two views over what was published of them before, with corrections of one, which takes four scenarios, and
 * little memory, so that events are spilled: it fails or is killed at each step that changes anything on the disk.
 */

const folder = scratch('every-mutation')
const before = join(folder.path, 'before')
const options = { workers: 0, memoryBytes: 8191 }
let job: LoadedJob
/** By view: what is published before, and what the rebuild makes of it. */
let old: Record<string, Manifest>
let made: Record<string, Manifest>
/** What it does to the disk, in order. */
let steps: readonly string[]
beforeAll(async () => {
  writeLog(folder.path, false)
  const first = await loadTwoViews(folder.path, 1)
  await rebuild(first, { ...options, out: before })
  first.dispose()
  writeLog(folder.path, true)
  job = await loadTwoViews(folder.path, 2)
  old = currentGenerations(before, viewNames)
  const out = copyOfBefore('after')
  const files = faultyFiles(Number.POSITIVE_INFINITY, 'no space')
  await rebuild(job, { ...options, out }, files)
  steps = files.mutations
  made = currentGenerations(out, viewNames)
  expect(made['daily']!.corrections).toHaveLength(1)
})
afterAll(() => {
  job.dispose()
  folder.remove()
})

function copyOfBefore(name: string): string {
  const out = join(folder.path, name)
  cpSync(before, out, { recursive: true })
  return out
}

interface Outcome {
  readonly files: FaultyFiles
  readonly report: RebuildReport | undefined
  readonly error: unknown
}

async function rebuildOn(out: string, at: number, fault: Fault): Promise<Outcome> {
  const files = faultyFiles(at, fault)
  try {
    return { files, report: await rebuild(job, { ...options, out }, files), error: undefined }
  } catch (error) {
    return { files, report: undefined, error }
  } finally {
    files.closeAll()
  }
}

/** Whichever generation readers see of a view, it is whole; so are all others. @returns Views that were switched. */
function expectWhole(out: string): string[] {
  const seen = currentGenerations(out, viewNames)
  for (const view of viewNames) {
    expect([old[view]!.digest, made[view]!.digest]).toContain(seen[view]!.digest)
    for (const generation of listGenerations(out, view)) readWhole(out, view, generation)
    expect(listGenerations(out, view)).toContain(old[view]!.generation)
  }
  return viewNames.filter((view) => seen[view]!.digest === made[view]!.digest)
}

/** The next rebuild publishes what this one would have, and nothing else stays. */
async function expectRecovery(out: string, hasCauses: boolean): Promise<void> {
  bury(out, viewNames)
  await rebuild(job, { ...options, out })
  const recovered = currentGenerations(out, viewNames)
  for (const view of viewNames) {
    if (hasCauses) expect(checksumsOf(recovered[view]!)).toEqual(checksumsOf(made[view]!))
    else expect(recovered[view]!.digest).toBe(made[view]!.digest)
  }
  expectWhole(out)
  expect(leftovers(out, viewNames)).toEqual([])
}

/**
 * Goes through the steps, to the last. What the next rebuild makes of it is tried once for each state that the disk is
 * left in.
 */
async function atEveryStep(
  fault: Fault,
  isWanted: (step: string) => boolean,
  check: (outcome: Outcome, out: string) => void,
): Promise<void> {
  const states = new Set<string>()
  const wanted = [...steps.keys(), steps.length].filter((at) => at === steps.length || isWanted(steps[at]!))
  const unchanged = stateOf(before)
  let out = copyOfBefore(fault)
  for (const at of wanted) {
    const outcome = await rebuildOn(out, at, fault)
    expect(outcome.files.triggered).toBe(at < steps.length)
    if (at === steps.length) break
    try {
      check(outcome, out)
      const notes = outcome.report?.notes
      // Corrections that couldn't be told say why, each in its own words.
      const state = notes === undefined ? stateOf(out) : notes.length === 0 ? 'published' : 'published with notes'
      if (state === unchanged) continue
      if (!states.has(state)) await expectRecovery(out, (notes ?? []).length === 0)
      states.add(state)
    } catch (error) {
      throw new Error(`${fault} at step ${at}, ${steps[at]}: ${(error as Error).message}`, { cause: error })
    }
    rmSync(out, { recursive: true })
    out = copyOfBefore(fault)
  }
  process.stdout.write(
    `${fault}: at ${wanted.length - 1} of ${steps.length} steps, which leave ${states.size} states of the disk\n`,
  )
}

test('a rebuild of two views takes steps of every kind', () => {
  for (const kind of ['make folder', 'open', 'append', 'write', 'create', 'rename', 'sync', 'remove']) {
    expect(steps.filter((step) => step.startsWith(`${kind} `)).length, kind).toBeGreaterThanOrEqual(6)
  }
  expect(steps.filter((step) => step.startsWith('make folder scenario-')).length).toBe(4)
})

test('killed before any of them it leaves each view as it was or as it is to be', async () => {
  const switched = new Set<string>()
  const everywhere = () => true
  await atEveryStep('killed before', everywhere, ({ error }, out) => {
    expect(error).toBeInstanceOf(Killed)
    switched.add(expectWhole(out).join(' and '))
  })
  expect([...switched]).toEqual(['', 'daily', 'daily and regions'])
}, 240_000)

test('killed within one that can be done by half, too', async () => {
  // Of what is spilled nobody reads a part: such a step leaves what the next one would.
  const canBeHalf = (step: string) => /^(?:write|create|remove) /.test(step)
  await atEveryStep('killed within', canBeHalf, ({ error }, out) => {
    expect(error).toBeInstanceOf(Killed)
    expectWhole(out)
  })
}, 240_000)

test('where the disk is full at any of them it fails with the name of the file, or says what it could not tell', async () => {
  const outcomes = new Set<string>()
  const everywhere = () => true
  await atEveryStep('no space', everywhere, ({ files, report, error }, out) => {
    const message = `Cannot write ${files.faultyPath}: no space left on the disk.`
    const switched = expectWhole(out)
    if (report === undefined) {
      expect(error).toBeInstanceOf(OutputError)
      expect((error as OutputError).message).toContain(message)
      expect((error as OutputError).place.file).toBe(files.faultyPath)
      outcomes.add(`failed, ${switched.length} of 2 published`)
      // What can't be removed stays; else a rebuild that goes on after the fault leaves nothing.
      if (!files.faultyStep!.startsWith('remove ')) expect(leftovers(out, viewNames)).toEqual([])
    } else {
      expect(switched).toEqual(viewNames)
      // A reservation of a number that can't be given back hinders nobody.
      const isHarmless = files.faultyStep!.startsWith('remove _number-')
      if (!isHarmless) expect(report.notes.join()).toContain(message)
      outcomes.add(isHarmless ? 'published' : 'published, causes not told')
    }
  })
  expect([...outcomes].sort()).toEqual([
    'failed, 0 of 2 published',
    'failed, 1 of 2 published',
    'failed, 2 of 2 published',
    'published',
    'published, causes not told',
  ])
}, 240_000)
