import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigurationError, OutputError } from '../../src/model/errors.ts'
import {
  currentPath,
  listViews,
  manifestPath,
  readCurrent,
  readManifest,
  resolveGeneration,
} from '../../src/storage/generations.ts'
import { build } from '../support/sample-generations.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'refold-generations-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

test('a view that was never built is told with the views there are', () => {
  expect(() => readCurrent(out, 'balances')).toThrow(ConfigurationError)
  expect(() => readCurrent(out, 'balances')).toThrow(
    `Cannot read view balances in ${out}: it was never built there; ${out} holds no view.`,
  )
  build(out, 'daily', 'one')
  expect(() => readCurrent(out, 'balances')).toThrow('holds daily')
  expect(listViews(out)).toEqual(['daily'])
})

test('resolveGeneration() takes a name, a number, the beginning of a name, or nothing for the current one', () => {
  const first = build(out, 'daily', 'one').generation
  const second = build(out, 'daily', 'two').generation
  expect(resolveGeneration(out, 'daily', undefined)).toBe(second)
  for (const wanted of [first, '1', '01', '000001', first.slice(0, 9)])
    expect(resolveGeneration(out, 'daily', wanted)).toBe(first)
  expect(resolveGeneration(out, 'daily', '2')).toBe(second)
  expect(() => resolveGeneration(out, 'daily', '3')).toThrow(ConfigurationError)
  expect(() => resolveGeneration(out, 'daily', '3')).toThrow(
    `Cannot read generation 3 of view daily in ${out}: expected one generation of this name, found none. There are ${first}, ${second} (current).`,
  )
  expect(() => resolveGeneration(out, 'daily', '00000')).toThrow('found none')
})

test.each([
  ['', 'expected JSON, found an empty file'],
  ['{"generation": "000001-', 'expected JSON, found '],
  ['[]', 'expected an object, found an array'],
  ['{"generation": 5}', 'expected a text at generation, found 5'],
  ['{"generation": "000001-0123456789ab"}', 'expected a text at digest, found nothing'],
])('a damaged _current.json, %j, is told', (text, message) => {
  build(out, 'daily', 'one')
  writeFileSync(currentPath(out, 'daily'), text)
  expect(() => readCurrent(out, 'daily')).toThrow(OutputError)
  expect(() => readCurrent(out, 'daily')).toThrow(`Cannot use ${currentPath(out, 'daily')}: ${message}`)
})

test.each([
  [(manifest: Record<string, unknown>) => ({ ...manifest, rows: 77 }), 'expected contents of the digest'],
  [
    (manifest: Record<string, unknown>) => ({ ...manifest, format: 2 }),
    'expected format 1, which is all that this version reads, found 2. A newer version of Refold wrote it',
  ],
  [
    (manifest: Record<string, unknown>) => ({ ...manifest, files: [{ name: 'x' }] }),
    'expected a whole number at files[0].rows, found nothing',
  ],
  [
    (manifest: Record<string, unknown>) => ({ ...manifest, counters: { read: -1 } }),
    'expected a whole number at counters.read, found -1',
  ],
  [
    (manifest: Record<string, unknown>) => ({ ...manifest, options: null }),
    'expected an object at options, found null',
  ],
  [
    (manifest: Record<string, unknown>) => ({ ...manifest, generation: '000009-0123456789ab' }),
    'found that of 000009-0123456789ab of daily',
  ],
  [() => 'text', 'expected an object, found "text"'],
])('a damaged manifest is told, case %#', (change, message) => {
  const { generation, path } = build(out, 'daily', 'one')
  const manifest = readManifest(out, 'daily', generation) as unknown as Record<string, unknown>
  writeFileSync(manifestPath(path), JSON.stringify(change(manifest)))
  expect(() => readManifest(out, 'daily', generation)).toThrow(OutputError)
  expect(() => readManifest(out, 'daily', generation)).toThrow(message)
})

test('a generation that was removed by hand is told', () => {
  const { generation, path } = build(out, 'daily', 'one')
  rmSync(manifestPath(path))
  expect(() => readManifest(out, 'daily', generation)).toThrow('found a folder without it')
  rmSync(path, { recursive: true })
  expect(() => readManifest(out, 'daily', generation)).toThrow('found no such folder')
})
