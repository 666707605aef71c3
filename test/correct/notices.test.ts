import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { encodeNotices, type Notice } from '../../src/correct/notices.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'

const folder = scratch('notices')
afterAll(folder.remove)

/** 20,000 notices, which are more than are held at a time; here and there a null, and text that is not ASCII. */
const notices: readonly Notice[] = Array.from({ length: 20_000 }, (_, index) => ({
  key: JSON.stringify({ day: '2021-05-16', region: index % 7 === 0 ? '臺北' : `r${index}` }),
  row: index % 3,
  column: 'cases',
  change: index % 5 === 0 ? 'vanished' : 'changed',
  old: String(index),
  new: index % 5 === 0 ? null : String(index + 2),
  cause: 'late data',
  steps: '[]',
  detail: index % 11 === 0 ? 'warum? – 為什麼' : null,
  wasFinal: index % 2 === 0 ? null : true,
  firstGeneration: '000001-0123456789ab',
  firstPublishedAt: 1_621_641_600_000_000 + index,
  events: index,
  behind: '[{"id":"e1"}]',
}))

const path = join(folder.path, 'part-00000.parquet')
writeFileSync(path, Buffer.concat([...encodeNotices(notices)]))

test('notices are read back as they were written', () => {
  const file = disk.openForReading(path)
  const names = { wasFinal: 'was_final', firstGeneration: 'first_generation', firstPublishedAt: 'first_published_at' }
  let index = 0
  for (const row of readRows(openParquet(file))) {
    const expected = Object.entries(notices[index++]!).map(([name, value]) => [
      names[name as keyof typeof names] ?? name,
      name === 'events' || name === 'firstPublishedAt' ? BigInt(value as number) : value,
    ])
    expect(row).toEqual(Object.fromEntries(expected))
  }
  file.close()
  expect(index).toBe(notices.length)
})

test('DuckDB adds up what notices changed', async () => {
  const duckdb = await (await DuckDBInstance.create()).connect()
  const result = await duckdb.runAndReadAll(
    `SELECT count(*), sum(CAST(new AS BIGINT) - CAST(old AS BIGINT)), count(*) FILTER (key->>'region' = '臺北'),
      count(DISTINCT detail), max(events) FROM read_parquet('${path}')`,
  )
  duckdb.closeSync()
  expect(result.getRows()[0]!.map(Number)).toEqual([20_000, 32_000, 2858, 1, 19_999])
})
