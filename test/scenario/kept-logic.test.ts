import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import { loadKeptLogic } from '../../src/scenario/kept-logic.ts'
import { buildScenario } from '../../src/scenario/scenario.ts'
import { disk } from '../../src/storage/disk.ts'
import { keptLogicPath, readManifest } from '../../src/storage/generations.ts'
import { type CorrectedView, correctedView } from '../support/corrected-view.ts'
import { readPublished, scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let view: CorrectedView
beforeEach(() => {
  folder = scratch('kept-logic')
  view = correctedView(folder.path)
  view.setLog([{ id: 'a1', region: 'a', day: 1, recordedDay: 2, cases: 5 }])
})
afterEach(() => folder.remove())

async function publish(factor: number) {
  const { path, generation } = await view.publish(factor)
  return { folder: path, manifest: readManifest(view.out, 'cases', generation) }
}

describe('loadKeptLogic()', () => {
  test('loads the job of a generation as it was then', async () => {
    const published = await publish(2)
    await publish(3)
    const job = await loadKeptLogic(published, disk)
    const built = await buildScenario({ job, view: 'cases' }, { workers: 0 }, disk)
    expect(readPublished(built.folder).rows).toMatchObject([{ total: 10 }])
    built.dispose()
    job.dispose()
  })

  test.each<[string, (path: string) => void]>([
    ['no file', (path) => rmSync(path)],
    ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', (path) => writeFileSync(path, '')],
  ])('refuses a kept job that is not what was published: %s', async (found, damage) => {
    const published = await publish(2)
    damage(keptLogicPath(published.folder))
    const loading = loadKeptLogic(published, disk)
    await expect(loading).rejects.toThrow(OutputError)
    await expect(loading).rejects.toThrow(`with the SHA-256 ${published.manifest.logic!.sha256}, found ${found}.`)
  })

  test('refuses a generation whose job came from no file', async () => {
    const { folder: path, manifest } = await publish(2)
    await expect(loadKeptLogic({ folder: path, manifest: { ...manifest, logic: null } }, disk)).rejects.toThrow(
      'its job came from no file',
    )
  })
})
