import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketOf, hashBytes } from '../../src/columns/hash.ts'
import { publish, stage } from '../../src/commit/commit.ts'
import type { Column } from '../../src/model/column.ts'
import { type ManifestBody, manifestColumn } from '../../src/model/manifest.ts'
import type { Type } from '../../src/model/type.ts'
import { date, int64, nullable, string } from '../../src/model/types.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { encodeParquet } from '../../src/parquet/write.ts'
import { findRows } from '../../src/read/find-rows.ts'
import { disk } from '../../src/storage/disk.ts'
import { partName } from '../../src/storage/generations.ts'
import type { ReadableFile } from '../../src/storage/store.ts'
import { ByteWriter, makeKeyCodec } from '../../src/view/key-codec.ts'
import { command, type Ran, refold, refoldBytes } from '../support/refold.ts'

const folder = mkdtempSync(join(tmpdir(), 'refold-views-'))
const out = join(folder, 'views')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const columns: Readonly<Record<string, Type>> = { day: date(), type: string(), total: nullable(int64()) }

interface Row {
  readonly day: number
  readonly type: string
  readonly total: bigint | null
}

function columnsOf(rows: readonly Row[]): Column[] {
  const length = rows.length
  const texts = rows.map(({ type }) => Buffer.from(type))
  const offsets = new Int32Array(length + 1)
  for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
  const validity = new Uint8Array((length + 7) >> 3)
  for (const [row, { total }] of rows.entries()) if (total !== null) validity[row >> 3]! |= 1 << (row & 7)
  const nullCount = rows.filter(({ total }) => total === null).length
  const values = BigInt64Array.from(rows, ({ total }) => total ?? 0n)
  return [
    { kind: 'int32', length, nullCount: 0, validity: null, values: Int32Array.from(rows, ({ day }) => day) },
    { kind: 'bytes', length, nullCount: 0, validity: null, offsets, data: Buffer.concat(texts), gap: 0 },
    { kind: 'int64', length, nullCount, validity, values },
  ]
}

const codec = makeKeyCodec({ day: date(), type: string() })

/** Which of two parts a row's key lies in. */
function partOf({ day, type }: Row): number {
  const writer = new ByteWriter()
  codec.write({ day, type }, writer)
  return bucketOf(hashBytes(writer.bytes, 0, writer.length), 1)
}

/** Publishes a generation of `daily` with two parts. */
function publishDaily(rows: readonly Row[], folder = out): string {
  const staged = stage(folder, 'daily', disk)
  const outputs = Object.entries(columns).map(([name, type]) => ({ name, type }))
  const files = [0, 1].map((part) => {
    const own = rows.filter((row) => partOf(row) === part)
    const chunks = encodeParquet(outputs, columnsOf(own), { sorting: 2, rowGroupRows: 10_000, pageRows: 1000 })
    const written = disk.writeNew(join(staged.folder, partName(part)), chunks)
    return { name: partName(part), rows: own.length, ...written }
  })
  const described = Object.entries(columns).map(([name, type]) => manifestColumn(name, type))
  const body: ManifestBody = {
    view: 'daily',
    fingerprint: 'f'.repeat(64),
    options: { knownAt: null, asOf: null, vintages: null },
    key: described.slice(0, 2),
    columns: described.slice(2),
    rows: rows.length,
    keys: rows.length,
    counters: { read: 0, applied: 0, filtered: 0, duplicate: 0, late: 0, quarantined: 0 },
    files,
    exceptions: [],
    window: null,
    triangle: [],
    corrections: [],
    logic: null,
    progress: [],
    inputs: [],
  }
  return publish(staged, body, {}, disk).generation
}

const types = ['Deposited', 'Opened', 'Withdrawn', '閉鎖']
/** 15,000 days of four types each, sorted; a total is missing now and then. */
const rows: readonly Row[] = Array.from({ length: 60_000 }, (_, row) => ({
  day: (row >> 2) - 100,
  type: types[row & 3]!,
  total: row % 7 === 0 ? null : BigInt(row) * 10n ** 12n,
}))

let first = ''
let second = ''
beforeAll(() => {
  first = publishDaily(rows.slice(0, 4))
  second = publishDaily(rows)
})

function run(...parameters: readonly string[]): Ran {
  return refold([...parameters, '--out', out])
}

function objects({ exitCode, stdout }: Ran): unknown[] {
  expect(exitCode).toBe(0)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

describe('refold show', () => {
  test('prints 20 rows of the current generation as a table, and how many there are beyond', () => {
    const { exitCode, stdout, stderr } = run('show', 'daily')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '59,980 more rows; --limit 60000 shows all.\n' })
    const lines = stdout.split('\n')
    expect(lines).toHaveLength(22)
    expect(lines.slice(0, 3)).toEqual([
      'day         type                total',
      '1969-09-23  Deposited',
      '1969-09-23  Opened      1000000000000',
    ])
  })

  test('prints all rows as NDJSON, CSV and Arrow, of another generation too', () => {
    const expected = [
      { day: '1969-09-23', type: 'Deposited', total: null },
      { day: '1969-09-23', type: 'Opened', total: 1e12 },
      { day: '1969-09-23', type: 'Withdrawn', total: 2e12 },
      { day: '1969-09-23', type: '閉鎖', total: 3e12 },
    ]
    expect(objects(run('show', 'daily', '--generation', first, '--format', 'ndjson'))).toEqual(expected)
    expect(objects(run('show', 'daily', '--generation', '1', '--json'))).toEqual(expected)
    expect(objects(run('show', 'daily', '--json'))).toHaveLength(60_000)
    expect(run('show', 'daily', '--generation', '1', '--format', 'csv', '--limit', '2').stdout).toBe(
      'day,type,total\r\n1969-09-23,Deposited,\r\n1969-09-23,Opened,1000000000000\r\n',
    )
  })

  test('prints an Arrow stream that other programs read', () => {
    const table = tableFromIPC(refoldBytes('show', 'daily', '--format', 'arrow', '--out', out))
    expect(table.numRows).toBe(60_000)
    expect(table.schema.fields.map(String)).toEqual(['day: Date32<DAY>', 'type: Utf8', 'total: Int64'])
    expect(table.getChild('total')!.nullCount).toBe(rows.filter(({ total }) => total === null).length)
  })

  test('prints the columns of a view without rows', () => {
    const empty = mkdtempSync(join(tmpdir(), 'refold-empty-'))
    publishDaily([], empty)
    expect(refold(['show', 'daily', '--format', 'csv', '--out', empty]).stdout).toBe('day,type,total\r\n')
    expect(refold(['show', 'daily', '--out', empty]).stdout).toMatch(/^day +type +total\n$/)
    expect(refold(['show', 'daily', '--json', '--out', empty]).stdout).toBe('')
    const table = tableFromIPC(refoldBytes('show', 'daily', '--format', 'arrow', '--out', empty))
    expect(table.numRows).toBe(0)
    expect(table.schema.fields.map(String)).toEqual(['day: Date32<DAY>', 'type: Utf8', 'total: Int64'])
    rmSync(empty, { recursive: true })
  })

  test('stops when its reader has enough', () => {
    const pipe = `"${process.execPath}" "${command}" show daily --json --out "${out}" | head -n 1`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${pipe}`], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ day: '1969-09-23' })
  })

  test.each([
    [['show', 'dayly'], 'it was never built there'],
    [['show', 'daily', '--generation', '9'], 'expected one generation of this name, found none'],
    [['show', 'daily', '--format', 'xml'], '--format: expected one of table, ndjson, csv, arrow, found xml.'],
    [['show', 'daily', '--json', '--format', 'csv'], '--json and --format csv exclude each other.'],
  ])('%j is wrong usage', (parameters, message) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('refold get', () => {
  test('finds a key wherever it lies, and the beginning of a key', () => {
    for (const row of [0, 3, 1999, 20_000, 39_998, 59_999]) {
      const { day, type, total } = rows[row]!
      const text = new Date(day * 86_400_000).toISOString().slice(0, 10)
      expect(objects(run('get', 'daily', text, type, '--json'))).toEqual([
        { day: text, type, total: total === null ? null : Number(total) },
      ])
    }
    const day = objects(run('get', 'daily', '1971-05-22', '--json')) as Row[]
    expect(day.map(({ type }) => type).sort()).toEqual([...types].sort())
  })

  test('reads a few pages of a part, not the part', () => {
    const path = join(out, 'daily', second, partName(partOf({ day: 5000, type: 'Withdrawn', total: null })))
    const file = disk.openForReading(path)
    let bytes = 0
    const counted: ReadableFile = {
      path,
      byteLength: file.byteLength,
      read(offset, length) {
        bytes += length
        return file.read(offset, length)
      },
      readInto(offset, target) {
        bytes += target.length
        file.readInto(offset, target)
      },
      close: () => file.close(),
    }
    const part = openParquet(counted)
    const footer = bytes
    const ranges = findRows(part, part.schema.slice(0, 2), [5000n, 'Withdrawn'])
    expect(ranges).toHaveLength(1)
    expect(ranges[0]!.to - ranges[0]!.from).toBe(1)
    expect(bytes - footer).toBeLessThan(file.byteLength / 4)
    file.close()
  })

  test('says so where there is none, and ends with 1', () => {
    expect(run('get', 'daily', '2021-05-22')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `View daily, generation ${second}, has no row of 2021-05-22.\n`,
    })
    expect(run('get', 'daily', '1971-05-22', 'Depositee').exitCode).toBe(1)
  })

  test('says what a key looks like', () => {
    expect(run('get', 'daily', 'yesterday')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'refold: Key column day: expected a day such as 2021-05-22, found yesterday.\n',
    })
    expect(run('get', 'daily', '1971-05-22', 'a', 'b').stderr).toContain(
      'has the key day, type: expected at most 2 values',
    )
  })
})

describe('refold history', () => {
  test('lists generations, oldest first, and marks the current one', () => {
    const { stdout } = run('history')
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(new RegExp(`^daily     ${first}  .*Z +4 +4 +`))
    expect(lines[2]).toMatch(new RegExp(`^daily  \\*  ${second}  .*Z +60,000 +60,000 +`))
    const entries = JSON.parse(run('history', 'daily', '--json').stdout) as { generation: string; current: boolean }[]
    expect(entries.map(({ generation, current }) => [generation, current])).toEqual([
      [first, false],
      [second, true],
    ])
  })

  test('says so where there are no views', () => {
    const { exitCode, stderr } = refold(['history', '--out', join(folder, 'none')])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `There are no views in ${join(folder, 'none')}.\n` })
  })
})
