import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  date,
  dayOf,
  defineJob,
  defineLog,
  defineView,
  formatDay,
  hourOf,
  int32,
  json,
  monthOf,
  nullable,
  type RebuildOptions,
  string,
  timestamp,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { InputError } from '../../src/model/errors.ts'
import type { TimeUnit, Type } from '../../src/model/type.ts'
import { rebuild } from '../../src/rebuild.ts'
import { DuckDBLogs } from '../support/duckdb-logs.ts'
import { readPublished } from '../support/logs.ts'
import { int96Bytes, type RawColumn, rawParquet, stringBytes } from '../support/raw-parquet.ts'

const logs = new DuckDBLogs('moments')

/** Has DuckDB write a file. @returns The log's folder. */
const logOf = (query: string, options = '') => logs.logOf([query], options)

interface Declared {
  readonly zone?: string
  readonly disambiguation?: 'reject' | 'compatible' | 'earlier' | 'later'
  readonly timeUnit?: TimeUnit
  readonly columns?: object
}

const seen = (files: string, fields: Readonly<Record<string, Type>>, declared: Declared = {}) =>
  logs.seen(files, fields, { ...declared })

const us = (text: string) => Date.parse(text) * 1000
const evening = us('2021-05-01T21:30:00Z')

describe('local timestamps', () => {
  const everyKind = `SELECT 1 AS id, v AS us, v::TIMESTAMP_MS AS ms, v::TIMESTAMP_NS AS ns, {'at': v} AS s, [v::TIMESTAMP_MS] AS l,
    MAP {v: v::TIMESTAMP_NS} AS m, '{"at": "2021-05-01T23:30:00", "sql": "2021-05-01 23:30:00.000000"}' AS j
    FROM (SELECT TIMESTAMP '2021-05-01 23:30:00' AS v)`
  const zone = 'Europe/Berlin'

  test("of every unit, nested and in JSON, are those of the log's zone", async () => {
    const home = await logOf(everyKind)
    const [row] = await seen(
      home,
      {
        us: timestamp(),
        ms: timestamp('us'),
        ns: timestamp('us'),
        inStruct: timestamp('us', 's.at'),
        inList: timestamp('us', 'l.0'),
        json: timestamp('us', 'j.at'),
        sql: timestamp('us', 'j.sql'),
        ofMs: timestamp('ms', 'ms'),
        ofNs: timestamp('ns', 'ns'),
      },
      { zone },
    )
    const moments = new Array(7).fill(evening)
    expect(row).toEqual([...moments, evening / 1000, String(BigInt(evening) * 1000n)])
  })

  test('within documents are the moments they mean, in UTC', async () => {
    const home = await logOf(everyKind)
    expect(await seen(home, { s: json(), l: json(), m: json(), at: json('l.0') }, { zone })).toEqual([
      [
        { at: '2021-05-01T21:30:00.000000Z' },
        ['2021-05-01T21:30:00.000Z'],
        { '2021-05-01T21:30:00.000000Z': '2021-05-01T21:30:00.000000000Z' },
        '2021-05-01T21:30:00.000Z',
      ],
    ])
  })

  test.each<[string, Readonly<Record<string, Type>>, object]>([
    ['us', { at: timestamp('us', 'us') }, {}],
    ['s.at', { at: timestamp('us', 's.at') }, {}],
    ['l.0', { at: timestamp('us', 'l.0') }, {}],
    ['j.at', { at: timestamp('us', 'j.at') }, {}],
    ['s', { at: json('s') }, {}],
    ['m', { at: json('m') }, {}],
    ['ms', {}, { recordedAt: 'ms' }],
    ['ns', {}, { id: 'ns' }],
  ])('in column %s are refused where no zone is declared', async (column, fields, columns) => {
    const home = await logOf(everyKind)
    const error = await seen(home, { j: json(), ...fields }, { columns }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).message).toContain(`column "${column}"`)
    expect((error as InputError).message).toContain("zone: 'Europe/Berlin', or zone: 'UTC'")
  })

  test('that clocks show twice or never are refused with their place, or read by the declared rule', async () => {
    const twice = await logOf(
      `SELECT i AS id, TIMESTAMP '2026-10-25 01:30:00' + to_hours(i) AS at, '{"at": "2026-10-25T02:30:00"}' AS j FROM range(3) t(i)`,
    )
    const at = { at: timestamp() }
    await expect(seen(twice, at, { zone })).rejects.toThrow(
      /0\.parquet, row group 0, row 1, column "at": expected a local time that clocks in Europe\/Berlin show once, found 2026-10-25T02:30:00\.000, which they show twice; it may mean 2026-10-25T00:30:00\.000Z or 2026-10-25T01:30:00\.000Z\. Declare disambiguation/,
    )
    await expect(seen(twice, { at: timestamp('us', 'j.at') }, { zone })).rejects.toThrow('row 0, column "j.at"')
    const hours = async (given: Declared) =>
      (await seen(twice, at, given)).map(([moment]) => ((moment as number) - us('2026-10-24T23:30Z')) / 3.6e9)
    expect(await hours({ zone, disambiguation: 'earlier' })).toEqual([0, 1, 3])
    expect(await hours({ zone, disambiguation: 'later' })).toEqual([0, 2, 3])
    const never = await logOf(`SELECT 1 AS id, TIMESTAMP '2026-03-29 02:30:00' AS at`)
    await expect(seen(never, at, { zone })).rejects.toThrow('which they skip')
    expect(await seen(never, at, { zone, disambiguation: 'compatible' })).toEqual([[us('2026-03-29T01:30Z')]])
    const own = timestamp('us', 'at', { disambiguation: 'earlier' })
    expect(await seen(never, { at: own }, { zone })).toEqual([[us('2026-03-29T00:30Z')]])
  })

  test('of a column may be of another zone, or declared to be in UTC', async () => {
    const home = await logOf(everyKind)
    const fields = {
      taipei: timestamp('us', 'us', { zone: 'Asia/Taipei' }),
      utc: timestamp('us', 'us', { storedAs: 'utc' }),
      nested: timestamp('us', 'l.0', { storedAs: 'utc' }),
    }
    const utc = us('2021-05-01T23:30:00Z')
    expect(await seen(home, fields, { zone })).toEqual([[us('2021-05-01T15:30:00Z'), utc, utc]])
    expect(await seen(home, fields)).toEqual([[us('2021-05-01T15:30:00Z'), utc, utc]])
  })

  test('decide days, what is known, and what is final', async () => {
    const home = await logOf(
      `SELECT i AS id, 'k' AS k, TIMESTAMP '2021-05-01 23:30:00' + to_hours(i) AS at FROM range(0, 72, 12) t(i)`,
      ', ROW_GROUP_SIZE 2048',
    )
    const log = defineLog({
      name: 'log',
      files: home,
      zone,
      columns: { id: 'id', key: 'k', occurredAt: 'at', recordedAt: 'at' },
    })
    const view = defineView({
      name: 'days',
      log,
      window: { every: 'day', allowedLateness: '0 days' },
      state: { events: int32() },
      on: { '*': (s) => void s.events++ },
    })
    const build = async (options: Partial<RebuildOptions>) => {
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
        out: logs.newFolder(),
        workers: 0,
        ...options,
      })
      return readPublished(report.views[0]!.path)
    }
    const dayOf = (text: string) => Date.parse(text) / 86_400_000
    const whole = await build({})
    expect(whole.rows.map(({ window, events, status }) => [window, events, status])).toEqual([
      [dayOf('2021-05-01'), 1, 'final'],
      [dayOf('2021-05-02'), 2, 'final'],
      [dayOf('2021-05-03'), 2, 'final'],
      [dayOf('2021-05-04'), 1, 'provisional'],
    ])
    expect((await build({ knownAt: '2021-05-01' })).rows).toHaveLength(1)
    expect((await build({ knownAt: '2021-05-01T23:29:59' })).rows).toHaveLength(0)
    expect((await build({ asOf: '2021-05-02' })).rows.map(({ events }) => events)).toEqual([1, 2])
  })
})

describe('INT96', () => {
  const id: RawColumn = {
    element: { name: 'id', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED', converted_type: 'UTF8' },
    bytes: stringBytes(['a', 'b', 'c']),
  }
  const logBy = (writer: string, moments: readonly string[]) => {
    const home = logs.newFolder()
    const at: RawColumn = {
      element: { name: 'at', type: 'INT96', repetition_type: 'REQUIRED' },
      bytes: int96Bytes(moments.map((text) => BigInt(Date.parse(text)) * 1_000_000n)),
    }
    writeFileSync(join(home, '0.parquet'), rawParquet(3, [id, at], writer))
    return home
  }
  const moments = ['2021-05-01T23:30:00Z', '0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z']
  const keyed = { id: string() }
  const read = async (home: string, type: Type, declared: Omit<Declared, 'columns'>) => {
    const log = defineLog({ name: 'log', files: home, columns: { id: 'id' }, fields: { at: type }, ...declared })
    const view = defineView({
      name: 'seen',
      log,
      orderFree: true,
      key: keyed,
      keyBy: (e) => ({ id: e.id as string }),
      state: { at: nullable(timestamp(log.timeUnit as 'us')) },
      on: {
        '*': (s, e) => {
          s.at = (e as unknown as { at: number }).at
        },
      },
    })
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
      out: logs.newFolder(),
      workers: 0,
    })
    return readPublished(report.views[0]!.path).rows.map(({ at }) => at)
  }

  test('of Spark is in UTC, of Impala local time; far moments are themselves in ms and us', async () => {
    const spark = logBy('parquet-mr version 1.12.3', moments)
    const impala = logBy('impala version 4.0.0-RELEASE', moments)
    for (const unit of ['ms', 'us'] as const) {
      const utc = moments.map((text) => (unit === 'us' ? us(text) : Date.parse(text)))
      expect(await read(spark, timestamp(unit), { timeUnit: unit, zone: 'Europe/Berlin' })).toEqual(utc)
      const local = await read(impala, timestamp(unit), { timeUnit: unit, zone: '+02:00' })
      expect(local).toEqual(utc.map((moment) => moment - (unit === 'us' ? 7.2e9 : 7.2e6)))
      expect(await read(impala, timestamp(unit, 'at', { storedAs: 'utc' }), { timeUnit: unit })).toEqual(utc)
    }
    await expect(read(impala, timestamp(), {})).rejects.toThrow("zone: 'UTC'")
  })

  test('beyond what nanoseconds reach is refused with what to declare', async () => {
    const spark = logBy('parquet-mr version 1.12.3', moments)
    await expect(read(spark, timestamp('ns') as Type, { timeUnit: 'ns' })).rejects.toThrow(
      "row 1, column \"at\": expected a moment that 64 bits hold in nanoseconds, which end in 2262; declare timeUnit: 'us' or 'ms' on the log, found 0001-01-01T00:00:00.000Z",
    )
  })
})

describe('the days 0001-01-01 and 9999-12-31', () => {
  const query = `SELECT i AS id, 'k' AS k, v AS us, v::TIMESTAMP_MS AS ms, v::DATE AS d, strftime(v, '%Y-%m-%dT%H:%M:%S.000Z') AS text,
    '{"at": "' || strftime(v, '%Y-%m-%d %H:%M:%S.000Z') || '"}' AS j
    FROM (VALUES (1, TIMESTAMP '0001-01-01'), (2, TIMESTAMP '9999-12-31'), (3, TIMESTAMP '9999-12-31 23:59:59'), (4, TIMESTAMP '2021-05-01')) t(i, v)`
  const texts = ['0001-01-01T00:00Z', '9999-12-31T00:00Z', '9999-12-31T23:59:59Z', '2021-05-01T00:00Z']

  test.each(['ms', 'us'] as const)('are themselves in %s, whatever holds them', async (unit) => {
    const home = await logOf(query)
    const fields = {
      us: timestamp(unit, 'us'),
      ms: timestamp(unit, 'ms'),
      text: timestamp(unit, 'text', { storedAs: 'text' }),
      json: timestamp(unit, 'j.at'),
    }
    const rows = await seen(home, fields, { timeUnit: unit, zone: 'UTC' })
    expect(rows).toEqual(texts.map((text) => new Array(4).fill(unit === 'us' ? us(text) : Date.parse(text))))
    expect((await seen(home, { d: timestamp(unit, 'd') }, { timeUnit: unit })).map(([at]) => at)).toEqual(
      texts.map((text) => (unit === 'us' ? us(text.slice(0, 10)) : Date.parse(text.slice(0, 10)))),
    )
  })

  test('can be keys, states and windows', async () => {
    const home = await logOf(query)
    const log = defineLog({
      name: 'log',
      files: home,
      zone: 'Europe/Berlin',
      columns: { id: 'id', key: 'k', occurredAt: 'us', recordedAt: 'ms' },
    })
    const windowed = (every: 'hour' | 'day') =>
      defineView({
        name: every,
        log,
        window: { every, allowedLateness: '1 day' },
        state: { at: timestamp() },
        on: {
          '*': (s, e) => {
            s.at = e.occurredAt
          },
        },
      })
    const byMoment = defineView({
      name: 'moments',
      log,
      key: { at: timestamp() },
      keyBy: (e) => ({ at: e.occurredAt }),
      state: { first: timestamp('us', undefined, { initial: us('9999-12-31T00:00Z') }) },
      on: {
        '*': (s, e) => {
          s.first = Math.min(s.first, e.occurredAt)
        },
      },
    })
    const job = loadedFromDefinition(defineJob({ views: [windowed('hour'), windowed('day'), byMoment] }))
    const report = await rebuild(job, { out: logs.newFolder(), workers: 0, inputs: { log: home } })
    const rows = report.views.map(({ path }) => readPublished(path).rows)
    expect(rows.map(({ length }) => length)).toEqual([4, 3, 4])
    expect(rows[2]!.map(({ at }) => at)).toEqual([
      rows[0]![0]!['at'],
      rows[0]![1]!['at'],
      rows[0]![2]!['at'],
      rows[0]![3]!['at'],
    ])
  })

  test('with microseconds that no number holds are refused with what to declare', async () => {
    const home = await logOf(`SELECT 1 AS id, TIMESTAMP '9999-12-31 23:59:59.999999' AS at`)
    await expect(seen(home, { at: timestamp() }, { zone: 'UTC' })).rejects.toThrow(
      /field "at": expected a moment that a number holds exactly, found 9999-12-31T23:59:59\.999999Z; declare timeUnit: 'ms'/,
    )
  })
})

describe('moments as numbers and text', () => {
  const moment = 1_619_911_800
  const query = `SELECT 1 AS id, ${moment}::INTEGER AS s32, ${moment}::BIGINT AS s, ${moment}000::BIGINT AS ms, ${moment}000000::UBIGINT AS us,
    ${moment}000000000::BIGINT AS ns, '${moment}' AS digits, '2021-05-01T23:30:00Z' AS iso, '2021-05-01 23:30:00+00' AS sql, {'s': ${moment}::BIGINT} AS st,
    [${moment}000::BIGINT] AS l, '{"s": ${moment}, "text": "${moment}000", "iso": "2021-05-01T23:30:00Z"}' AS j`
  const at = us('2021-05-01T23:30:00Z')

  test('are what they are declared to be: columns, nested, and in JSON', async () => {
    const home = await logOf(query)
    const fields = {
      s32: timestamp('us', 's32', { storedAs: 's' }),
      s: timestamp('us', 's', { storedAs: 's' }),
      ms: timestamp('us', 'ms', { storedAs: 'ms' }),
      us: timestamp('us', 'us', { storedAs: 'us' }),
      ns: timestamp('us', 'ns', { storedAs: 'ns' }),
      digits: timestamp('us', 'digits', { storedAs: 's' }),
      iso: timestamp('us', 'iso', { storedAs: 'text' }),
      sql: timestamp('us', 'sql', { storedAs: 'text' }),
      struct: timestamp('us', 'st.s', { storedAs: 's' }),
      list: timestamp('us', 'l.0', { storedAs: 'ms' }),
      json: timestamp('us', 'j.s', { storedAs: 's' }),
      jsonDigits: timestamp('us', 'j.text', { storedAs: 'ms' }),
      jsonIso: timestamp('us', 'j.iso'),
    }
    expect(await seen(home, fields)).toEqual([new Array(Object.keys(fields).length).fill(at)])
  })

  test.each<[string, Type, string]>([
    ['s', timestamp('us', 's'), "timestamp('us', 's', { storedAs: 's' })"],
    ['st.s', timestamp('us', 'st.s'), "timestamp('us', 'st.s', { storedAs: 's' })"],
    ['l.0', timestamp('ms', 'l.0'), "timestamp('ms', 'l.0', { storedAs: 's' })"],
    ['j.s', timestamp('us', 'j.s'), "timestamp('us', 'j.s', { storedAs: 's' })"],
    ['iso', timestamp('us', 'iso'), "timestamp('us', 'iso', { storedAs: 'text' })"],
    ['iso', timestamp('us', 'iso', { storedAs: 's' }), 'expected a whole number of seconds since 1970, found "2021'],
    ['s', timestamp('us', 's', { storedAs: 'text' }), "storedAs: 'text' is not for integers"],
  ])('in column %s are refused where they are not declared', async (column, type, declaration) => {
    const error = await seen(await logOf(query), { at: type }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).message).toContain(`column "${column}"`)
    expect((error as InputError).message).toContain(declaration)
  })

  test.each([
    ['ms', 's', 'ms'],
    ['us', 'ms', 'us'],
    ['ns', 'us', 'ns'],
    ['l.0', 's', 'ms'],
    ['j.text', 's', 'ms'],
  ] as const)(
    'in column %s that would be far away as %s are refused, and the unit that they may be in is named',
    async (column, storedAs, unit) => {
      const far = seen(await logOf(query), { at: timestamp('us', column, { storedAs }) })
      await expect(far).rejects.toThrow(
        `expected a moment of the years 1 to 9999, as the column is declared as storedAs: '${storedAs}', found `,
      )
      await expect(far).rejects.toThrow(`; if it counts in ${unit}, declare storedAs: '${unit}'`)
    },
  )

  test('a column that says itself what it is takes no declaration', async () => {
    const home = await logOf("SELECT 1 AS id, TIMESTAMPTZ '2021-05-01 23:30:00Z' AS at, DATE '2021-05-01' AS d")
    await expect(seen(home, { at: timestamp('us', 'at', { storedAs: 's' }) })).rejects.toThrow(
      "leave out storedAs: 's'",
    )
    await expect(seen(home, { at: timestamp('us', 'd', { storedAs: 'text' }) })).rejects.toThrow(
      "leave out storedAs: 'text'",
    )
  })

  test('as roles decide order, days and what is known', async () => {
    const home = await logOf(`SELECT i AS id, 'k' AS k, ${moment} + 3600 * i AS at FROM range(5) t(i)`)
    const log = defineLog({
      name: 'log',
      files: home,
      columns: {
        id: 'id',
        key: 'k',
        occurredAt: timestamp('us', 'at', { storedAs: 's' }),
        recordedAt: timestamp('us', 'at', { storedAs: 's' }),
      },
    })
    const view = defineView({
      name: 'last',
      log,
      state: { at: timestamp() },
      on: {
        '*': (s, e) => {
          s.at = e.recordedAt
        },
      },
    })
    const known = async (knownAt?: string) => {
      const options = { out: logs.newFolder(), workers: 0, ...(knownAt === undefined ? {} : { knownAt }) }
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), options)
      return readPublished(report.views[0]!.path).rows.map(({ at }) => at)
    }
    expect(await known()).toEqual([at + 4 * 3.6e9])
    expect(await known('2021-05-02T01:00Z')).toEqual([at + 3.6e9])
  })

  test('a value that does not fit is refused with its row', async () => {
    const home = await logOf(
      `SELECT 1 AS id, ${'9'.repeat(18)}::BIGINT AS s, 1619911800123456789::BIGINT AS ns, '2021-02-30T00:00:00Z' AS iso`,
    )
    await expect(seen(home, { at: timestamp('us', 's', { storedAs: 's' }) })).rejects.toThrow(
      'row 0, column "s": expected a moment of the years 1 to 9999',
    )
    await expect(seen(home, { at: timestamp('us', 'ns', { storedAs: 'ns' }) })).rejects.toThrow(
      'declare a finer timeUnit',
    )
    await expect(seen(home, { at: timestamp('us', 'iso', { storedAs: 'text' }) })).rejects.toThrow(
      'row 0, column "iso": expected a moment that exists',
    )
  })
})

describe('days, hours and months', () => {
  test('of moments are those of the log in every function of a view, and those of its windows', async () => {
    const home = await logOf(
      `SELECT i AS id, 'k' AS k, TIMESTAMPTZ '2021-04-30 20:30:00Z' + to_hours(i) AS at, DATE '2021-05-01' AS d FROM range(4) t(i)`,
    )
    const zone = 'Europe/Berlin'
    for (const timeUnit of ['ms', 'us', 'ns'] as const) {
      const log = defineLog({
        name: 'log',
        files: home,
        zone,
        timeUnit,
        columns: { id: 'id', key: 'k', occurredAt: 'at', recordedAt: date('d') },
        upcast: { Event: (e) => ({ seen: dayOf(e.occurredAt) }) },
        fields: { seen: int32('id') },
      })
      const view = defineView({
        name: 'view',
        log,
        key: { day: date(), month: date() },
        filter: (e) => dayOf(e.recordedAt) === dayOf(e.recordedAt, { zone }),
        keyBy: (e) => ({ day: dayOf(e.occurredAt), month: monthOf(e.occurredAt) }),
        state: { seen: int32(), handled: int32(), hours: int32(), recorded: int32() },
        columns: { text: string() },
        on: {
          '*': (s, e) => {
            s.seen = e.seen
            s.handled = dayOf(e.occurredAt)
            s.recorded = dayOf(e.recordedAt)
            s.hours += hourOf(e.occurredAt as number) === e.occurredAt ? 1 : 0
          },
        },
        row: (s, key) => ({ text: [s.seen, s.handled, key.day, key.month, s.recorded].map(formatDay).join(' ') }),
      })
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
        out: logs.newFolder(),
        workers: 0,
      })
      expect(
        readPublished(report.views[0]!.path).rows.map(({ text }) => text),
        timeUnit,
      ).toEqual([
        '2021-04-30 2021-04-30 2021-04-30 2021-04-01 2021-05-01',
        '2021-05-01 2021-05-01 2021-05-01 2021-05-01 2021-05-01',
      ])
    }
  })
})
