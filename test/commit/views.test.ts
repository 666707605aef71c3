import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { disk } from '../../src/storage/disk.ts'
import { readExceptions, readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow, ledgerRows, run, writeJob } from '../support/refusal.ts'

const folder = scratch('commit-views')
afterAll(folder.remove)

test('a rebuild with another duplicate is published, with its own list of exceptions', async () => {
  const home = join(folder.path, 'stale')
  const build = async (duplicate: number) => {
    rmSync(join(home, 'log'), { recursive: true, force: true })
    writeRows(join(home, 'log/0.parquet'), ledgerColumns, [...ledgerRows(1, 2, 3), ledgerRow(duplicate)])
    return (await run(writeJob(home), home, {})).views[0]!
  }
  await build(1)
  const second = await build(2)
  expect(second.outcome).toBe('published')
  expect(readExceptions(second.path).map((row) => row['event_id'])).toEqual(['e2'])
  expect((await build(2)).outcome).toBe('unchanged')
})

test('duplicates stand in a list of their own, before what the view refused', async () => {
  const home = join(folder.path, 'lists')
  const odd = [ledgerRow(7, { type: 'Odd' }), ledgerRow(6, { type: 'Ödd' })]
  const twice = [ledgerRow(3), ledgerRow(1, { note: null }), ledgerRow(3)]
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, [...ledgerRows(1, 2, 3), ...odd, ...twice])
  const view = `state: { n: int32() }, unknown: 'quarantine', on: { Deposited: (s) => { s.n++ } }`
  const { path, exceptions } = (await run(writeJob(home, { view }), home, {})).views[0]!
  const { manifest } = readPublished(path)
  expect(manifest.exceptions.map(({ name, rows }) => [name, rows])).toEqual([
    ['_exceptions/part-00000.parquet', 3],
    ['_exceptions/part-00001.parquet', 2],
  ])
  expect(exceptions).toBe(5)
  expect(readExceptions(path)).toEqual([
    ...['e1', 'e3', 'e3'].map((id) => ({ reason: 'duplicate', event_id: id, type: '', detail: '' })),
    expect.objectContaining({ reason: 'unknown type', event_id: 'e6', type: 'Ödd' }),
    expect.objectContaining({ reason: 'unknown type', event_id: 'e7', type: 'Odd' }),
  ])
})

test('an empty out and a spill folder that is not there are refused before anything is written', async () => {
  const home = join(folder.path, 'refused')
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1))
  await expect(run(writeJob(home), home, { out: '' })).rejects.toThrow('expected a folder as out')
  const spillFolder = join(home, 'nowhere')
  await expect(run(writeJob(home), home, { spillFolder })).rejects.toThrow('Make it')
  expect(existsSync(spillFolder)).toBe(false)
  expect(existsSync(join(home, 'views'))).toBe(false)
})

test('a folder that can not be made is told with the reason, however deep it lies', () => {
  // Nobody makes folders there, not even root, and Node alone calls that a missing folder.
  if (!existsSync('/sys/kernel')) return
  expect(() => disk.makeFolder('/sys/refold/views')).toThrow(/operation not permitted|permission denied|read-only/)
})

test('makeFolder() makes all folders of a path, and is content with one that is there', () => {
  const path = join(folder.path, 'a/b/c')
  disk.makeFolder(path)
  disk.makeFolder(path)
  expect(readdirSync(join(folder.path, 'a/b'))).toEqual(['c'])
})
