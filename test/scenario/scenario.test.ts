import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LoadedJob } from '../../src/job/load.ts'
import { ConfigurationError, OutputError, ViewError } from '../../src/model/errors.ts'
import type { LogView } from '../../src/model/view.ts'
import { buildScenario, planScenario, type Scenario } from '../../src/scenario/scenario.ts'
import { disk } from '../../src/storage/disk.ts'
import { type CaseEvent, type CorrectedView, correctedView } from '../support/corrected-view.ts'
import { faultyFiles } from '../support/faulty-files.ts'
import { readPublished, scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let view: CorrectedView
let job: LoadedJob
/** The system's folder for temporary files. */
let temporary: string
beforeEach(async () => {
  folder = scratch('scenario')
  view = correctedView(folder.path)
  view.setLog(events)
  job = await view.load(1)
  temporary = join(folder.path, 'temporary')
  mkdirSync(temporary)
  vi.stubEnv('TMPDIR', temporary)
})
afterEach(() => {
  vi.unstubAllEnvs()
  job.dispose()
  folder.remove()
})

const events: readonly CaseEvent[] = [
  { id: 'a1', region: 'a', day: 1, recordedDay: 2, cases: 5 },
  { id: 'a2', region: 'a', day: 2, recordedDay: 3, cases: 7 },
  { id: 'b1', region: 'b', day: 1, recordedDay: 4, cases: 10 },
]

const options = { workers: 0 } as const

/** `1 a 5`: day, region and total of each row. */
function rowsIn(path: string): string[] {
  return readPublished(path)
    .rows.map(({ day, region, total }) => `${day} ${region} ${total}`)
    .sort()
}

/** Every file below a folder, with what shows that it was written to. */
function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, ino } = statSync(join(path, name))
      return `${name} ${size} ${mtimeMs} ${ino}`
    })
}

describe('buildScenario()', () => {
  test('builds a view as it was known at a moment, the same bytes as a rebuild publishes', async () => {
    const built = await buildScenario({ job, view: 'cases', knownAt: '1970-01-04' }, options, disk)
    expect(rowsIn(built.folder)).toEqual(['1 a 5', '2 a 7'])
    const published = await view.publish(1, { knownAt: '1970-01-04' })
    expect(built.manifest.digest).toBe(published.digest)
    const [part] = built.manifest.files
    const bytesIn = (path: string) => readFileSync(join(path, part!.name))
    expect(bytesIn(built.folder).equals(bytesIn(published.path))).toBe(true)
    built.dispose()
  })

  const dayMicroseconds = 86_400_000_000n
  const until = { 'partition=a': 3n * dayMicroseconds, 'partition=b': 3n * dayMicroseconds }
  const after = { 'partition=a': 2n * dayMicroseconds, 'partition=b': 0n }
  test.each<[Partial<Scenario>, string[]]>([
    [{}, ['1 a 5', '1 b 10', '2 a 7']],
    [{ asOf: '1970-01-02' }, ['1 a 5', '1 b 10']],
    [{ bounds: { cases: { until } } }, ['1 a 5', '2 a 7']],
    [{ bounds: { cases: { after } } }, ['1 b 10', '2 a 7']],
  ])('builds from the events that count, %#', async (scenario, rows) => {
    const built = await buildScenario({ job, view: 'cases', ...scenario }, options, disk)
    expect(rowsIn(built.folder)).toEqual(rows)
    built.dispose()
  })

  test('builds from other files, of which planScenario() tells', async () => {
    const inputs = { cases: [join(folder.path, 'log/partition=b/*.parquet')] }
    const scenario = { job, view: 'cases', inputs }
    const built = await buildScenario(scenario, options, disk)
    expect(rowsIn(built.folder)).toEqual(['1 b 10'])
    built.dispose()
    const [plan] = (await planScenario(scenario, disk)).logs
    expect(plan!.files.map(({ path }) => path)).toEqual([expect.stringContaining('partition=b')])
    expect(plan!.rows).toBe(1)
  })

  test('publishes nothing and corrects nothing, though what is published has other figures', async () => {
    await view.publish(1)
    const before = filesBelow(view.out)
    const stages: string[] = []
    const other = await view.load(3)
    const onProgress = ({ stage }: { stage: string }) => void stages.push(stage)
    const built = await buildScenario({ job: other, view: 'cases' }, { ...options, onProgress }, disk)
    other.dispose()
    expect(rowsIn(built.folder)).toEqual(['1 a 15', '1 b 30', '2 a 21'])
    expect(built.manifest.corrections).toEqual([])
    expect([...new Set(stages)]).toEqual(['identify', 'map', 'reduce', 'commit'])
    built.dispose()
    expect(filesBelow(view.out)).toEqual(before)
  })
})

describe('what a scenario leaves behind', () => {
  test('is nothing once it is disposed of, as often as that is', async () => {
    const listeners = process.listenerCount('exit')
    const built = await buildScenario({ job, view: 'cases' }, options, disk)
    expect(built.folder.startsWith(temporary)).toBe(true)
    built.dispose()
    built.dispose()
    expect(readdirSync(temporary)).toEqual([])
    expect(process.listenerCount('exit')).toBe(listeners)
  })

  test('lies within the folder that is named, and beside other scenarios there', async () => {
    const within = join(folder.path, 'within')
    const scenario = { job, view: 'cases' }
    const first = await buildScenario(scenario, { ...options, within }, disk)
    const second = await buildScenario(scenario, { ...options, within }, disk)
    expect(readdirSync(temporary)).toEqual([])
    first.dispose()
    expect(rowsIn(second.folder)).toHaveLength(3)
    second.dispose()
    expect(readdirSync(within)).toEqual([])
  })

  test.each([
    [ConfigurationError, async () => buildScenario({ job, view: 'none' }, options, disk)],
    [
      ViewError,
      async () => {
        const [definition] = job.definition.views
        const throwing = () => {
          throw new Error('not this one')
        }
        const views = [{ ...(definition as LogView), on: { '*': throwing } }]
        const failing = { ...job, definition: { ...job.definition, views } }
        return buildScenario({ job: failing, view: 'cases' }, options, disk)
      },
    ],
  ])('is nothing after a failure: %o', async (kind, fail) => {
    const listeners = process.listenerCount('exit')
    await expect(fail()).rejects.toThrow(kind)
    expect(readdirSync(temporary)).toEqual([])
    expect(process.listenerCount('exit')).toBe(listeners)
  })

  test('is nothing, whichever mutation finds the disk full', async () => {
    let at = 0
    for (; ; at++) {
      const files = faultyFiles(at, 'no space')
      const isFull = (error: unknown) => void expect(error).toBeInstanceOf(OutputError)
      const built = await buildScenario({ job, view: 'cases' }, options, files).catch(isFull)
      try {
        built?.dispose()
      } catch (error) {
        // What could not be removed is removed when it is asked for again.
        isFull(error)
        built!.dispose()
      }
      expect(readdirSync(temporary), files.mutations.join()).toEqual([])
      if (!files.triggered) break
    }
    expect(at).toBeGreaterThan(10)
  })

  test.each([0, 1])('is nothing after an abort, with %i workers', async (workers) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === 'map') controller.abort(reason)
    }
    const how = { workers, signal: controller.signal, onProgress }
    await expect(buildScenario({ job, view: 'cases' }, how, disk)).rejects.toBe(reason)
    expect(readdirSync(temporary)).toEqual([])
  })

  test.each(['exit', 'SIGKILL'])('is nothing after the process ended by %s and another loaded a job', async (end) => {
    const script = fileURLToPath(new URL('builder.ts', import.meta.url))
    const child = spawn(process.execPath, [script, job.path, 'cases'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: temporary },
    })
    await once(child.stdout, 'data')
    expect(readdirSync(temporary)).toHaveLength(1)
    if (end === 'exit') child.stdin.end()
    else child.kill('SIGKILL')
    await once(child, 'exit')
    expect(readdirSync(temporary)).toHaveLength(end === 'exit' ? 0 : 1)
    const another = await view.load(1)
    another.dispose()
    expect(readdirSync(temporary)).toEqual([])
  })
})
