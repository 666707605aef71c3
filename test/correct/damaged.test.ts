import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ViewReport } from '../../src/model/report.ts'
import { currentPath, findCurrent, manifestPath } from '../../src/storage/generations.ts'
import { NewerFormatError } from '../../src/storage/manifest-file.ts'
import { type CaseEvent, type CorrectedView, correctedView, noticesIn } from '../support/corrected-view.ts'
import { scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let view: CorrectedView
const events: CaseEvent[] = [1, 2].map((day) => ({ id: `e${day}`, region: 'a', day, recordedDay: 4, cases: day }))
beforeEach(() => {
  folder = scratch('damaged')
  view = correctedView(folder.path)
  view.setLog(events)
})
afterEach(() => folder.remove())

const partOf = ({ path }: ViewReport) => join(path, 'part-00000.parquet')

/** Changes a byte in the middle of a file's pages, and none of its size. */
function spoil(path: string): void {
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4, 60)
  writeFileSync(path, bytes)
}

describe('a damaged published generation keeps no rebuild from publishing, which says that changes are not told', () => {
  const damages: [string, (published: ViewReport) => void, string][] = [
    ['a part that is empty', (published) => truncateSync(partOf(published), 0), 'part-00000.parquet: found 0 bytes'],
    ['a part that is cut off', (published) => truncateSync(partOf(published), 100), 'found 100 bytes'],
    ['a part of the same size', (published) => spoil(partOf(published)), 'found the SHA-256 '],
    ['a part that is gone', (published) => rmSync(partOf(published)), 'found no such file'],
    ['a manifest', ({ path }) => writeFileSync(manifestPath(path), '{'), '_manifest.json'],
    ['no manifest', ({ path }) => rmSync(manifestPath(path)), '_manifest.json'],
    ['a _current.json', () => writeFileSync(currentPath(view.out, 'cases'), ''), '_current.json'],
  ]

  test.each(damages)('%s', async (_, damage, told) => {
    const published = await view.publish(1)
    damage(published)
    const { views, notes } = await view.rebuild(2)
    expect(views[0]).toMatchObject({ outcome: 'published', corrections: 0 })
    expect(notes).toEqual([
      expect.stringMatching(/^What is published of view cases can't be read \(.*, so what this rebuild changes of its/),
    ])
    expect(notes[0]).toContain(told)
    const next = await view.rebuild(3)
    expect(next.views[0]!.corrections).toBe(2)
    expect(next.notes.filter((note) => !note.startsWith(`Generation ${published.generation} of view cases`))).toEqual(
      [],
    )
  })
})

test('a damaged generation is published anew where it can not be read, though nothing else changed', async () => {
  const published = await view.publish(1)
  const part = readFileSync(partOf(published))
  spoil(partOf(published))
  const { views, notes } = await view.rebuild(1)
  expect(views[0]).toMatchObject({ outcome: 'published', digest: published.digest })
  expect(notes).toHaveLength(1)
  expect(readFileSync(partOf(views[0]!)).equals(part)).toBe(true)
})

test('a damaged generation further back only ends what is looked back on', async () => {
  const generations = [await view.publish(1), await view.publish(1, { knownAt: '1970-01-09' })]
  truncateSync(partOf(generations[0]!), 100)
  const { views, notes } = await view.rebuild(2)
  expect(notes).toEqual([
    expect.stringContaining(`Generation ${generations[0]!.generation} of view cases can't be read (`),
  ])
  const notices = noticesIn(view.out, views[0]!.generation)
  expect(notices.map(({ firstGeneration }) => firstGeneration)).toEqual(
    Array.from({ length: 2 }, () => generations[1]!.generation),
  )
})

test('nothing is published over what a newer version of Refold wrote', async () => {
  const { path, generation } = await view.publish(1)
  const manifest = JSON.parse(readFileSync(manifestPath(path), 'utf8')) as object
  copyFileSync(manifestPath(path), join(folder.path, 'manifest.json'))
  writeFileSync(manifestPath(path), JSON.stringify({ ...manifest, format: 2 }))
  await expect(view.publish(2)).rejects.toThrow(NewerFormatError)
  await expect(view.publish(2)).rejects.toThrow('found 2. A newer version of Refold wrote it')
  expect(findCurrent(view.out, 'cases')!.generation).toBe(generation)
  copyFileSync(join(folder.path, 'manifest.json'), manifestPath(path))
  expect((await view.publish(2)).corrections).toBe(2)
})
