import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import {
  bool,
  defineJob,
  defineLog,
  defineView,
  float64,
  int64,
  json,
  loadDefinition,
  nullable,
  openView,
  rebuild,
  string,
  timestamp,
  type View,
} from 'refold'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { disk } from '../../src/storage/disk.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { refold, refoldBytes } from '../support/refold.ts'

const folder = scratch('ordered')
const out = join(folder.path, 'views')
const views: View[] = []
afterAll(() => {
  for (const view of views) view.close()
  folder.remove()
})

const keys = 20_000
const dayMicroseconds = 86_400_000_000

/** Texts of several lengths and scripts, whose order by bytes is not that of UTF-16 code units. */
const textOf = (i: number) => `${['k', 'ä', '\u{ff5e}', '\u{1f600}'][i % 4]}${(i * 7919) % keys}`

beforeAll(async () => {
  const fields = { id: string(), key: string(), at: timestamp(), amount: int64(), ratio: float64() }
  // So many events that the view has four parts.
  const rows = Array.from({ length: 140_000 }, (_, i) => ({
    id: `${i}`,
    key: textOf(i % keys),
    at: (i % 2) * dayMicroseconds,
    amount: i % keys,
    ratio: i % 3 === 0 ? -(i % keys) / 8 : (i % keys) / 8,
  }))
  writeRows(join(folder.path, 'log.parquet'), fields, rows)
  const log = defineLog({
    name: 'events',
    files: join(folder.path, 'log.parquet'),
    columns: { id: 'id', key: 'key', recordedAt: 'at' },
    fields: { amount: int64(), ratio: float64(), key_text: string('key') },
  })
  const texts = defineView({
    name: 'texts',
    log,
    orderFree: true,
    state: { amount: int64(), note: nullable(string()) },
    columns: { amount: int64(), note: nullable(string()), even: bool(), tags: json() },
    on: {
      '*': (state, e) => {
        state.amount = e.amount
      },
    },
    // Of some keys two rows, of some none.
    row: ({ amount }) =>
      amount % 10 === 0
        ? []
        : Array.from({ length: amount % 10 === 1 ? 2 : 1 }, (_, row) => ({
            amount: amount + row,
            note: amount % 3 === 0 ? null : `n${amount}`,
            even: amount % 2 === 0,
            tags: { amount },
          })),
  })
  const composite = defineView({
    name: 'composite',
    log,
    orderFree: true,
    key: { ratio: float64(), part: nullable(int64()), text: string() },
    keyBy: (e) => ({ ratio: e.ratio, part: e.amount % 5 === 0 ? null : e.amount % 5, text: e.key_text }),
    state: { events: int64() },
    on: {
      '*': (state) => {
        state.events++
      },
    },
  })
  const job = await loadDefinition(defineJob({ views: [texts, composite] }))
  await rebuild(job, { out, workers: 0 })
  await rebuild(job, { out, workers: 0, views: ['texts'], vintages: 'day' })
  for (const name of ['texts', 'composite', 'texts-vintages']) views.push(await openView(out, name))
})

async function rowsOf(name: string, options = {}): Promise<Record<string, unknown>[]> {
  const rows = []
  for await (const row of views.find((view) => view.name === name)!.rows(options)) rows.push(row)
  return rows
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

test('the views have several parts, of which none holds a range of keys', () => {
  for (const { manifest } of views) expect(manifest.files.length).toBe(4)
})

describe('rows() of a program', () => {
  test('are in the order of their keys, whole, each once', async () => {
    const rows = await rowsOf('texts')
    expect(rows.length).toBe(views[0]!.manifest.rows)
    const texts = rows.map(({ key }) => key as string)
    expect(texts).toEqual([...texts].sort(byBytes))
    expect(new Set(texts).size).toBe(keys * 0.9)
    for (const [index, row] of rows.entries()) {
      const isSecond = rows[index - 1]?.key === row.key
      const amount = (row.amount as number) - (isSecond ? 1 : 0)
      expect(row).toEqual({
        key: textOf(amount),
        amount: row.amount,
        note: amount % 3 === 0 ? null : `n${amount}`,
        even: amount % 2 === 0,
        tags: { amount },
      })
    }
  })

  test('are ordered by all columns of a key, nulls first', async () => {
    const rows = (await rowsOf('composite')) as { ratio: number; part: number | null; text: string }[]
    expect(rows.length).toBe(views[1]!.manifest.rows)
    const sorted = [...rows].sort(
      (a, b) => a.ratio - b.ratio || (a.part ?? -1) - (b.part ?? -1) || byBytes(a.text, b.text),
    )
    expect(rows).toEqual(sorted)
  })

  test('are ordered by vintage, then by key', async () => {
    const rows = (await rowsOf('texts-vintages')) as { knownAt: string; key: string }[]
    expect(new Set(rows.map(({ knownAt }) => knownAt)).size).toBe(2)
    const sorted = [...rows].sort((a, b) => byBytes(a.knownAt, b.knownAt) || byBytes(a.key, b.key))
    expect(rows).toEqual(sorted)
  })

  test('begin with the least keys under a limit, and have only the columns that are asked for', async () => {
    const all = await rowsOf('texts')
    for (const limit of [0, 1, 63, 100, 9000]) {
      const rows = await rowsOf('texts', { limit, columns: ['tags', 'amount'] })
      expect(rows).toEqual(all.slice(0, limit).map(({ tags, amount }) => ({ tags, amount })))
    }
  })
})

describe('refold show', () => {
  const show = (...parameters: string[]) => {
    const { exitCode, stdout, stderr } = refold(['show', 'texts', '--out', out, ...parameters])
    expect(exitCode, stderr).toBe(0)
    return stdout
  }

  test('prints rows in the order of their keys, in every format', async () => {
    const rows = await rowsOf('texts')
    const ndjson = show('--format', 'ndjson').trimEnd().split('\n')
    expect(ndjson.map((line) => JSON.parse(line))).toEqual(rows)
    const csv = show('--format', 'csv').trimEnd().split('\r\n').slice(1)
    expect(csv.map((line) => line.split(',')[0])).toEqual(rows.map(({ key }) => key))
    const table = tableFromIPC(refoldBytes('show', 'texts', '--out', out, '--format', 'arrow'))
    expect([...table.getChild('key')!]).toEqual(rows.map(({ key }) => key))
    const lines = show('--limit', '5').split('\n').slice(1, 7)
    expect(lines.filter((line) => line.includes('k')).map((line) => line.split(/\s+/)[0])).toEqual(
      rows.slice(0, 5).map(({ key }) => key),
    )
  })

  test('decodes no more than it needs for a limit', async () => {
    const { orderedBatches } = await import('../../src/read/ordered-rows.ts')
    const { findView, openParts } = await import('../../src/read/view-files.ts')
    let bytes = 0
    const counting = {
      ...disk,
      openForReading(path: string) {
        const file = disk.openForReading(path)
        return {
          ...file,
          read(offset: number, length: number) {
            bytes += length
            return file.read(offset, length)
          },
        }
      },
    }
    const found = findView(out, 'texts')
    const read = (limit: number) => {
      bytes = 0
      const opened = openParts(found, found.manifest.files, counting)
      const [batch] = orderedBatches(opened, { limit })
      opened.close()
      expect(batch![0]!.column.length).toBeGreaterThanOrEqual(limit)
      return bytes
    }
    const few = read(20)
    const size = found.manifest.files.reduce((sum, file) => sum + file.bytes, 0)
    expect(few).toBeLessThan(size)
  })
})
