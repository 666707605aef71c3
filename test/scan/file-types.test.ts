import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  date,
  decimal,
  defineJob,
  defineLog,
  defineView,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { InputError } from '../../src/model/errors.ts'
import type { Type } from '../../src/model/type.ts'
import { rebuild } from '../../src/rebuild.ts'
import { DuckDBLogs } from '../support/duckdb-logs.ts'
import { readPublished } from '../support/logs.ts'

const logs = new DuckDBLogs('file-types')
const logOf = (...queries: readonly string[]) => logs.logOf(queries)

/** What handlers see of the log's fields, by id. DuckDB's TIMESTAMP has no zone. */
const seen = (files: string, fields: Readonly<Record<string, Type>>, columns: object = {}) =>
  logs.seen(files, fields, { zone: 'UTC', columns })

describe('decimals of more than 18 digits', () => {
  const precisions = [19, 20, 27, 37, 38]
  const scales = [1, 3, 5]

  test.each(precisions.flatMap((precision) => scales.map((scale) => [precision, scale] as const)))(
    'decimal(%i, 3) as one of %i digits after the point, plain, from a dictionary and in a struct',
    async (precision, scale) => {
      const type = `DECIMAL(${precision}, 3)`
      const home = await logOf(
        `SELECT i AS id, CAST(i * 1.5 AS ${type}) AS plain, CAST(CASE WHEN i % 2 = 0 THEN -12.5 ELSE 7 END AS ${type}) AS coded,
           {'inner': CAST(-i AS ${type})} AS struct FROM range(0, 3000) t(i)`,
      )
      const fields = {
        plain: decimal(18, scale),
        coded: decimal(18, scale),
        inner: decimal(18, scale, 'struct.inner'),
      }
      const factor = 10 ** scale
      expect(await seen(home, fields)).toEqual(
        Array.from({ length: 3000 }, (_, i) => [
          Math.round(i * 1.5 * factor),
          (i % 2 === 0 ? -12.5 : 7) * factor,
          i === 0 ? 0 : -i * factor,
        ]),
      )
    },
  )

  test('one with digits beyond the declared scale, or too many in all, is refused with its place', async () => {
    const fine = await logOf('SELECT i AS id, CAST(i / 8 AS DECIMAL(38, 3)) AS d FROM range(0, 2) t(i)')
    await expect(seen(fine, { d: decimal(18, 2) })).rejects.toThrow(
      /0\.parquet, row group 0, row 1, column "d": expected a decimal number with at most 2 digits after the point, found "0\.125"/,
    )
    const large = await logOf("SELECT 1 AS id, CAST('12345678901234567' AS DECIMAL(38, 3)) AS d")
    await expect(seen(large, { d: decimal(18, 2) })).rejects.toThrow('expected a decimal of at most 18 digits')
  })
})

const nested = `SELECT i AS id, [{'d': CAST(1.25 + i AS DECIMAL(9, 2)), 'w': CAST(-0.5 AS DECIMAL(30, 4)),
    'ms': CAST('2021-05-22 14:00:00.250' AS TIMESTAMP_MS), 'ns': CAST('2021-05-22 14:00:00.000001' AS TIMESTAMP_NS),
    'day': DATE '2021-05-22', 'n': i, 'name': 'x', 'huge': 9007199254740993}, NULL] AS l,
  MAP {DATE '2021-05-22': CAST(3.5 AS DECIMAL(4, 1))} AS m, MAP {'a': TIMESTAMP '1969-12-31 23:59:59.5'} AS moments,
  {'list': [DATE '1969-12-31'], 'at': TIME '14:00:00'} AS s
  FROM range(1, 3) t(i)`
const noon = Date.UTC(2021, 4, 22, 14)
const day = Date.UTC(2021, 4, 22) / 86_400_000

describe('within lists and maps', () => {
  test('decimals, moments and dates are in the unit and scale of their fields', async () => {
    const fields = {
      larger: decimal(18, 4, 'l.0.d'),
      equal: decimal(9, 2, 'l.0.d'),
      wide: decimal(9, 1, 'l.0.w'),
      ms: timestamp('ms', 'l.0.ms'),
      us: timestamp('us', 'l.0.ms'),
      ns: timestamp('us', 'l.0.ns'),
      midnight: timestamp('ms', 'l.0.day'),
      day: date('l.0.day'),
      n: int32('l.0.n'),
      ratio: float64('l.0.n'),
      name: string('l.0.name'),
      byDay: decimal(4, 1, 'm.2021-05-22'),
      moment: timestamp('ms', 'moments.a'),
      listed: date('s.list.0'),
      none: nullable(decimal(4, 1, 'm.2021-05-23', { optional: true })),
    }
    expect(await seen(await logOf(nested), fields)).toEqual(
      [1, 2].map((i) => [
        12_500 + i * 10_000,
        125 + i * 100,
        -5,
        noon + 250,
        (noon + 250) * 1000,
        noon * 1000 + 1,
        day * 86_400_000,
        day,
        i,
        i,
        'x',
        35,
        -500,
        -1,
        null,
      ]),
    )
  })

  test('a moment or a decimal that the field can not hold exactly is refused with its place', async () => {
    const home = await logOf(nested)
    await expect(seen(home, { at: timestamp('ms', 'l.0.ns') })).rejects.toThrow(
      /row group 0, row 0, column "l\.0\.ns": expected a moment in whole milliseconds; declare a finer timeUnit, found 1621692000000001000\./,
    )
    await expect(seen(home, { d: decimal(9, 1, 'l.0.d') })).rejects.toThrow(
      'expected a decimal number with at most 1 digits after the point, found "2.25"',
    )
  })

  test.each([
    ['int64', int64('l.0.d'), 'decimal(9, 2)'],
    ['int64', int64('l.0.ms'), 'timestamp(ms, local)'],
    ['string', string('l.0.day'), 'date'],
    ['date', date('l.0.ms'), 'timestamp(ms, local)'],
  ])('%s is not taken from what only a unit or scale gives a meaning', async (kind, type, found) => {
    const error = await seen(await logOf(nested), { field: type }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).message).toContain(`(field field): expected ${kind}, found ${found}.`)
  })

  test('JSON stands for itself', async () => {
    const fields = { l: json(), m: json(), moments: json(), s: json(), first: json('l.0.ms'), inner: json('l.0') }
    const element = (i: number) => ({
      d: i + 1.25,
      w: -0.5,
      ms: '2021-05-22T14:00:00.250Z',
      ns: '2021-05-22T14:00:00.000001000Z',
      day: '2021-05-22',
      n: i,
      name: 'x',
      huge: '9007199254740993',
    })
    expect(await seen(await logOf(nested), fields)).toEqual(
      [1, 2].map((i) => [
        [element(i), null],
        { '2021-05-22': 3.5 },
        { a: '1969-12-31T23:59:59.500000Z' },
        { list: ['1969-12-31'], at: '14:00:00.000000' },
        '2021-05-22T14:00:00.250Z',
        element(i),
      ]),
    )
  })

  test('JSON has decimals that no number holds as text', async () => {
    const home = await logOf(
      `SELECT 1 AS id, [CAST('123456789012345.67' AS DECIMAL(20, 2)), CAST('1234567890123.45' AS DECIMAL(20, 2)), CAST('100000000000000000' AS DECIMAL(20, 2))] AS l`,
    )
    expect(await seen(home, { l: json() })).toEqual([[['123456789012345.67', 1234567890123.45, 1e17]]])
  })
})

describe('the moments of events', () => {
  test('may be days: each is its midnight in the unit of the log', async () => {
    const home = await logOf(
      `SELECT i AS id, 'k' AS k, DATE '1969-12-30' + CAST(i AS INTEGER) AS d FROM range(1, 4) t(i)`,
    )
    const log = (timeUnit: 'ms' | 'us') =>
      defineLog({ name: 'days', files: home, timeUnit, columns: { id: 'id', key: 'k', recordedAt: date('d') } })
    const publish = async (timeUnit: 'ms' | 'us', knownAt?: string) => {
      const view = defineView({
        name: 'days',
        log: log(timeUnit),
        state: { moments: json<number[]>(undefined, { initial: [] }) },
        on: { '*': (s, e) => void s.moments.push(e.recordedAt) },
      })
      const options = {
        out: logs.newPath(),
        workers: 0,
        ...(knownAt === undefined ? {} : { knownAt }),
      }
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options)
      return readPublished(report.views[0]!.path).rows.map((row) => row['moments'])
    }
    expect(await publish('ms')).toEqual([[-86_400_000, 0, 86_400_000]])
    expect(await publish('us', '1970-01-01')).toEqual([[-86_400_000_000, 0]])
  })

  test("that are days are midnights of the log's zone, wherever they stand", async () => {
    const days = "DATE '2021-03-13' + CAST(i AS INTEGER)"
    const home = await logOf(
      `SELECT i AS id, 'k' AS k, ${days} AS d, [{'d': ${days}}] AS l, CAST('{"d":"' || CAST(${days} AS VARCHAR) || '"}' AS JSON) AS j FROM range(0, 3) t(i)`,
    )
    const columns = { id: 'id', key: 'k', recordedAt: date('d') }
    const fields = {
      column: timestamp('ms', 'd'),
      nested: timestamp('ms', 'l.0.d'),
      text: timestamp('ms', 'j.d'),
      missing: timestamp('ms', 'none', { whenMissing: 0 }),
      day: date('d'),
    }
    const zone = 'America/New_York'
    const log = defineLog({ name: 'days', files: home, timeUnit: 'ms', zone, columns, fields })
    const view = defineView({
      name: 'days',
      log,
      state: { seen: json<number[][]>(undefined, { initial: [] }) },
      on: { '*': (s, e) => void s.seen.push([e.recordedAt, e.column, e.nested, e.text, e.missing, e.day]) },
    })
    const options = { out: logs.newPath(), workers: 0, knownAt: '2021-03-14' }
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options)
    // Of the 13th and the 14th, the latter with 23 hours; the 15th is known an hour too late for 24.
    const [first, second] = [Date.parse('2021-03-13T00:00-05:00'), Date.parse('2021-03-14T00:00-05:00')]
    const day = Date.UTC(2021, 2, 13) / 86_400_000
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['seen'])).toEqual([
      [
        [first, first, first, first, 0, day],
        [second, second, second, second, 0, day + 1],
      ],
    ])
  })

  test('that are days of folders or of files without the column are midnights of the zone too', async () => {
    const home = await logOf("SELECT 1 AS id, 'k' AS k")
    const seenAs = async (recordedAt: Type, files: string) => {
      const log = defineLog({
        name: 'days',
        files,
        timeUnit: 'ms',
        zone: 'Asia/Taipei',
        columns: { id: 'id', key: 'k', recordedAt },
      })
      const view = defineView({
        name: 'days',
        log,
        state: { at: timestamp('ms') },
        on: {
          '*': (s, e: { recordedAt: number }) => {
            s.at = e.recordedAt
          },
        },
      })
      const options = { out: logs.newPath(), workers: 0 }
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options)
      return Number(readPublished(report.views[0]!.path).rows[0]!['at'])
    }
    expect(await seenAs(date('d', { whenMissing: 1 }), home)).toBe(16 * 3_600_000)
    mkdirSync(join(home, 'd=1970-01-02'))
    await logs.duckdb.run(
      `COPY (SELECT 1 AS id, 'k' AS k) TO '${join(home, 'd=1970-01-02', '0.parquet')}' (FORMAT parquet)`,
    )
    expect(await seenAs(date('d'), join(home, '*/*.parquet'))).toBe(16 * 3_600_000)
  })

  test('of days beyond what the unit holds are refused with their place', async () => {
    const home = await logOf("SELECT 1 AS id, 'k' AS k, DATE '2300-01-01' AS d")
    await expect(seen(home, { at: timestamp('ns', 'd') })).rejects.toThrow(
      /row group 0, row 0, column "d": expected a day that 64 bits hold in nanoseconds, which end in 2262; declare timeUnit: 'us' or 'ms' on the log, found 2300-01-01\./,
    )
  })

  test('known until a day that nanoseconds do not reach are all known', async () => {
    const home = await logOf("SELECT 1 AS id, 'k' AS k, CAST('2021-05-22 14:00:00' AS TIMESTAMP_NS) AS at")
    const log = defineLog({
      name: 'ns',
      files: home,
      timeUnit: 'ns',
      zone: 'UTC',
      columns: { id: 'id', key: 'k', recordedAt: 'at' },
    })
    const view = defineView({ name: 'ns', log, state: { n: int64() }, on: { '*': (s) => void s.n++ } })
    const known = async (knownAt: string) => {
      const options = { out: logs.newPath(), workers: 0, knownAt }
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options)
      return readPublished(report.views[0]!.path).rows.length
    }
    expect([await known('9999-12-31'), await known('0001-01-01')]).toEqual([1, 0])
  })

  test.each([
    ['ms first', [0, 1]],
    ['ns first', [1, 0]],
  ])('as ids keep the finest unit of all files, %s', async (_, order) => {
    const queries = [
      "SELECT CAST('2021-05-22 14:00:00.00' || i AS TIMESTAMP_MS) AS id, 'k' AS k FROM range(1, 4) t(i)",
      "SELECT CAST('2021-05-22 14:00:00.00000000' || i AS TIMESTAMP_NS) AS id, 'k' AS k FROM range(1, 4) t(i)",
    ]
    const files = await logOf(...order.map((i) => queries[i]!))
    const view = defineView({
      name: 'ids',
      log: defineLog({ name: 'ids', files, zone: 'UTC', columns: { id: 'id', key: 'k' } }),
      orderFree: true,
      state: { ids: string() },
      on: {
        '*': (s, e) => {
          s.ids += `${BigInt(e.id) - BigInt(noon) * 1_000_000n} `
        },
      },
    })
    const out = logs.newPath()
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
    const ids = String(readPublished(report.views[0]!.path).rows[0]!['ids']).trim().split(' ')
    expect(ids.sort()).toEqual(['1', '1000000', '2', '2000000', '3', '3000000'])
  })
})
