import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { int64, nullable, string, timestamp } from '../../src/model/types.ts'
import { findRows, keyFields, openForKey } from '../../src/read/find-rows.ts'
import type { KeyValue } from '../../src/read/key-text.ts'
import { findView } from '../../src/read/view-files.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { type Row, scratch, writeRows } from '../support/logs.ts'
import { run } from '../support/refusal.ts'

const folder = scratch('find')
const out = join(folder.path, 'views')
afterAll(() => folder.remove())

/** More keys than one part file is to hold, and more events than one bucket. */
const events = 80_000
const start = 1_621_641_600_000_000

function eventOf(number: number): Row {
  return {
    event_id: number,
    account_id: `a${number % 70_001} 閉鎖`,
    at: start + number * 3 * 3_600_000_000,
    amount: (number % 2 === 0 ? 1 : -1) * number * 1_000_003,
    note: number % 3 === 0 ? null : `n\0${number % 5}`,
  }
}

const keyOf = `(e) => ({ day: dayOf(e.at), at: e.at, note: e.note, amount: e.amount, large: BigInt(e.amount),
  price: e.amount, ratio: e.amount / 7, odd: e.amount % 2 !== 0, small: e.amount % 1000 })`

beforeAll(async () => {
  const columns = {
    event_id: int64(),
    account_id: string(),
    at: timestamp(),
    amount: int64(),
    note: nullable(string()),
  }
  writeRows(
    join(folder.path, 'log.parquet'),
    columns,
    Array.from({ length: events }, (_, number) => eventOf(number)),
  )
  const job = join(folder.path, 'job.ts')
  writeFileSync(
    job,
    `import { bigint, bool, date, dayOf, decimal, defineJob, defineLog, defineView, float64, int32, int64, nullable, string, timestamp } from 'refold'
const log = defineLog({ name: 'log', files: ${JSON.stringify(join(folder.path, 'log.parquet'))}, columns: { id: 'event_id', key: 'account_id' },
  fields: { at: timestamp(), amount: int64(), note: nullable(string()) } })
const state = { events: int64() }
const on = { '*': (one) => { one.events++ } }
const accounts = defineView({ name: 'accounts', log, state, on, orderFree: true })
const wide = defineView({ name: 'wide', log, state, on, orderFree: true, keyBy: ${keyOf},
  key: { day: date(), at: timestamp(), note: nullable(string()), amount: int64(), large: bigint(), price: decimal(18, 2),
    ratio: float64(), odd: bool(), small: int32() } })
export default defineJob({ views: [accounts, wide] })
`,
  )
  await run(job, folder.path, {})
})

/** The disk, and which files it opened. */
function counting(): { readonly files: Disk; readonly opened: string[] } {
  const opened: string[] = []
  const files: Disk = {
    ...disk,
    openForReading(path) {
      opened.push(path)
      return disk.openForReading(path)
    },
  }
  return { files, opened }
}

/** How many files were opened for a key, and how many rows were found. */
function look(view: string, key: readonly KeyValue[]): { readonly opened: number; readonly rows: number } {
  const { files, opened } = counting()
  const found = openForKey(findView(out, view), key, files)
  try {
    const fields = keyFields(found)
    const ranges = found.parts.flatMap((part) => findRows(part, fields, key))
    return { opened: opened.length, rows: ranges.reduce((sum, { from, to }) => sum + to - from, 0) }
  } finally {
    found.close()
  }
}

const numbers = Array.from({ length: 12 }, (_, index) => index * 6661)

function wideKey(number: number): readonly KeyValue[] {
  const { at, note, amount } = eventOf(number) as { at: number; note: string | null; amount: number }
  const day = BigInt(Math.floor(at / 86_400_000_000))
  const whole = BigInt(amount)
  return [day, BigInt(at), note, whole, whole, whole, amount / 7, amount % 2 !== 0, BigInt(amount % 1000)]
}

describe('a key of which all columns are given', () => {
  test('is found in one part file, without a look at the others', () => {
    for (const view of ['accounts', 'wide']) expect(findView(out, view).manifest.files.length).toBeGreaterThan(1)
    for (const number of numbers) {
      expect(look('accounts', [eventOf(number)['account_id'] as string])).toEqual({ opened: 1, rows: 1 })
      expect(look('wide', wideKey(number))).toEqual({ opened: 1, rows: 1 })
    }
  })

  test('is not there where one file does not hold it', () => {
    expect(look('accounts', ['nobody'])).toEqual({ opened: 1, rows: 0 })
  })

  test('is not there where its column could never hold it', () => {
    const [day, at, note, , ...rest] = wideKey(1999)
    expect(look('wide', [day!, at!, note!, 2n ** 60n, ...rest]).rows).toBe(0)
    expect(look('wide', [null, at!, note!, 1n, ...rest]).rows).toBe(0)
  })
})

test('the beginning of a key is looked for in all part files', () => {
  const { files } = findView(out, 'wide').manifest
  for (const number of numbers)
    expect(look('wide', wideKey(number).slice(0, 3))).toEqual({ opened: files.length, rows: 1 })
})
