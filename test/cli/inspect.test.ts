import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeFiles, describeSurveys } from '../../src/cli/print-inspection.ts'
import { inspectFiles } from '../../src/inspect/inspect-files.ts'
import { surveyPlanned } from '../../src/inspect/survey-job.ts'
import type { Column } from '../../src/model/column.ts'
import { defineLog } from '../../src/model/log.ts'
import type { Type } from '../../src/model/type.ts'
import { int32, int64, nullable, string, timestamp } from '../../src/model/types.ts'
import { defineView } from '../../src/model/view.ts'
import { encodeParquet } from '../../src/parquet/write.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { disk } from '../../src/storage/disk.ts'
import { refold } from '../support/refold.ts'

const folder = mkdtempSync(join(tmpdir(), 'refold-inspect-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Event {
  readonly id: string
  readonly account: string
  readonly type: string
  readonly seq: number
  /** Seconds since 1970. */
  readonly occurred: number
  readonly recorded: number
}

const roles: Readonly<Record<keyof Event, Type>> = {
  id: string(),
  account: string(),
  type: string(),
  seq: int64(),
  occurred: timestamp('ms'),
  recorded: timestamp('ms'),
}

function writeLog(path: string, events: readonly Event[], extra: Readonly<Record<string, Type>> = {}): void {
  const outputs = Object.entries({ ...roles, ...extra }).map(([name, type]) => ({ name, type }))
  const length = events.length
  const data = outputs.map(({ name, type }): Column => {
    const values = events.map((event) => event[name as keyof Event])
    const whole = { length, nullCount: 0, validity: null }
    if (type.kind === 'int32') return { kind: 'int32', ...whole, values: new Int32Array(length) }
    if (type.kind === 'string' && name in roles) {
      const texts = values.map((value) => Buffer.from(String(value)))
      const offsets = new Int32Array(length + 1)
      for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
      return { kind: 'bytes', ...whole, offsets, data: Buffer.concat(texts), gap: 0 }
    }
    if (!(name in roles))
      return {
        kind: 'int64',
        length,
        nullCount: length,
        validity: new Uint8Array((length + 7) >> 3),
        values: new BigInt64Array(length),
      }
    const scale = type.kind === 'timestamp' ? 1000 : 1
    return { kind: 'int64', ...whole, values: BigInt64Array.from(values, (value) => BigInt(Number(value) * scale)) }
  })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Buffer.concat(encodeParquet(outputs, data)))
}

const event = (id: string, account: string, type: string, seq: number, occurred: number, recorded: number): Event => ({
  id,
  account,
  type,
  seq,
  occurred,
  recorded,
})

beforeAll(() => {
  writeLog(join(folder, 'year=2020/a.parquet'), [
    event('e1', 'A', 'Opened', 1, 100, 100),
    event('e2', 'A', 'Deposited', 2, 110, 115),
    event('e3', 'B', 'Opened', 1, 120, 121),
  ])
  writeLog(
    join(folder, 'year=2021/b.parquet'),
    [
      event('e4', 'A', 'Deposited', 5, 130, 200),
      event('e3', 'B', 'Opened', 1, 120, 121),
      event('e5', 'B', 'Deposited', 2, 210, 205),
    ],
    { note: nullable(int64()), branch: int32() },
  )
})

const log = defineLog({
  name: 'ledger',
  files: join(folder, '**/*.parquet'),
  columns: { id: 'id', key: 'account', type: 'type', sequence: 'seq', occurredAt: 'occurred', recordedAt: 'recorded' },
})
const view = defineView({ name: 'counts', log, state: { count: int32() }, on: {} })

describe('inspectFiles()', () => {
  test('tells of files, folders, columns and where files differ, from the footers alone', () => {
    const report = inspectFiles('ledger', join(folder, '**/*.parquet'))
    expect(report).toMatchObject({
      rows: 6,
      rowGroups: 2,
      partitions: [{ name: 'year', values: ['2020', '2021'] }],
      codecs: ['UNCOMPRESSED'],
    })
    expect(report.files.map(({ rows }) => rows)).toEqual([3, 3])
    expect(report.columns.map(({ name, types, nulls, missingIn }) => [name, types, nulls, missingIn.length])).toEqual([
      ['id', ['string'], 0, 0],
      ['account', ['string'], 0, 0],
      ['type', ['string'], 0, 0],
      ['seq', ['int64'], 0, 0],
      ['occurred', ['timestamp(ms, utc)'], 0, 0],
      ['recorded', ['timestamp(ms, utc)'], 0, 0],
      ['note', ['int64'], 3, 1],
      ['branch', ['int32'], 0, 1],
    ])
    const text = describeFiles(report)
    expect(text).toContain('ledger: 2 files, 6 rows in 2 row groups')
    expect(text).toContain('partitioned by year: 2020, 2021')
    expect(text).toContain('note is missing in 1 of 2 files: ')
  })

  test('says where types differ', () => {
    const other = join(folder, 'other')
    const text = {
      kind: 'bytes',
      length: 0,
      nullCount: 0,
      validity: null,
      offsets: new Int32Array(1),
      data: new Uint8Array(0),
      gap: 0,
    } as const
    const write = (name: string, type: Type, column: Column): void => {
      mkdirSync(other, { recursive: true })
      writeFileSync(join(other, name), Buffer.concat(encodeParquet([{ name: 'seq', type }], [column])))
    }
    write('a.parquet', string(), text)
    write('b.parquet', int32(), { kind: 'int32', length: 0, nullCount: 0, validity: null, values: new Int32Array(0) })
    const report = inspectFiles('other', other)
    expect(report.columns[0]).toMatchObject({
      types: ['string', 'int32'],
      otherIn: [join(other, 'b.parquet')],
      min: null,
    })
    expect(describeFiles(report)).toContain('seq is string, but int32 in ')
    rmSync(other, { recursive: true })
  })
})

test('a survey counts types, order, gaps, duplicates and delays over all events', () => {
  const plan = makePlan({ job: 'job', views: [view], fieldsRead: () => 'all', returnsOf: () => 'nothing', files: disk })
  const survey = surveyPlanned(plan.logs[0]!)
  expect(survey).toEqual({
    events: 6,
    types: [
      { type: 'Opened', events: 3 },
      { type: 'Deposited', events: 3 },
    ],
    occurredAt: { min: 100_000_000n, max: 210_000_000n, unit: 'us' },
    recordedAt: { min: 100_000_000n, max: 205_000_000n, unit: 'us' },
    progress: { watermark: 121_000_000n, unit: 'us', heldBackBy: 'year=2020' },
    ahead: null,
    outOfOrder: { events: 1, files: 1 },
    delay: {
      unit: 'us',
      negative: 1,
      quantiles: [
        { quantile: 0, delay: -5e6 },
        { quantile: 0.5, delay: 1e6 },
        { quantile: 0.9, delay: 70e6 },
        { quantile: 0.99, delay: 70e6 },
        { quantile: 0.999, delay: 70e6 },
        { quantile: 1, delay: 70e6 },
      ],
    },
    sequence: { scope: 'stream', missing: 2, repeated: 1, streams: 2 },
    duplicates: 1,
  })
  const surveyed = { log: 'ledger', zone: 'UTC', events: survey, sequenceScope: 'stream', views: [] } as const
  expect(describeSurveys([surveyed])).toBe(`events of ledger
  events      6
  occurred    from 1970-01-01T00:01:40.000000Z to 1970-01-01T00:03:30.000000Z
  recorded    from 1970-01-01T00:01:40.000000Z to 1970-01-01T00:03:25.000000Z
  complete    up to 1970-01-01T00:02:01.000000Z, held back by partition year=2020
  order       1 event in 1 file was recorded before the one in front of it
  sequence    counts through each of 2 streams, 2 numbers missing, 1 number repeated
  duplicates  1 event beyond the first of their id
  delay       least −5.00 s, 50 % 1.00 s, 90 % 1 min 10 s, 99 % 1 min 10 s, 99.9 % 1 min 10 s, most 1 min 10 s; 1 event recorded before they occurred

type       events
Opened          3
Deposited       3
`)
})

test('refold inspect takes a glob, a folder and a file', () => {
  for (const source of [join(folder, '**/*.parquet'), folder]) {
    const { exitCode, stdout } = refold(['inspect', source, '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ rows: 6 })
  }
  expect(refold(['inspect', join(folder, 'year=2020/a.parquet')]).stdout).toContain('1 file, 3 rows')
  const missing = refold(['inspect', join(folder, 'none/*.parquet')])
  expect(missing).toMatchObject({ exitCode: 1, stdout: '' })
  expect(missing.stderr).toContain('no file matches it')
})
