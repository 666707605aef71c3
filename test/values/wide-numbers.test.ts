import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bigint,
  decimal,
  defineJob,
  defineLog,
  defineView,
  int32,
  int64,
  nullable,
  openView,
  string,
  type Type,
  traceKey,
  uint64,
  type View,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { scratch } from '../support/logs.ts'
import { refold, refoldBytes } from '../support/refold.ts'
import { rebuildSeen } from '../support/value-logs.ts'

/** Decimals of more than 18 digits and integers without a sign: from the log to all that reads a view. */

const folder = scratch('wide-numbers')
const files = join(folder.path, 'log.parquet')
const out = join(folder.path, 'views')
const opened: View[] = []
let duckdb: DuckDBConnection

const most = 10n ** 38n - 1n
const keys = 9000

beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run(`COPY (SELECT i AS n, 'Paid' AS type, (i - 4500)::DECIMAL(38, 2) * 1000000000000000000000.25 AS account,
      (i * 1000000000000000)::DECIMAL(30, 5) + 0.00001 AS amount, CASE i % 3 WHEN 0 THEN NULL ELSE 18446744073709551615 - i END::UBIGINT AS big,
      (18446744073709551615 - i % 10)::UBIGINT AS device, ${most}::DECIMAL(38, 0) AS most
    FROM range(${keys}) t(i)) TO '${files}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
})
afterAll(() => {
  duckdb.closeSync()
  for (const view of opened) view.close()
  folder.remove()
})

function job(add = 0n) {
  const log = defineLog({
    name: 'log',
    files,
    columns: { id: 'n', key: decimal(38, 2, 'account'), type: 'type' },
    fields: { amount: decimal(30, 5), big: nullable(uint64()), device: uint64(), most: decimal(38, 0) },
  })
  const accounts = defineView({
    name: 'accounts',
    log,
    orderFree: true,
    state: {
      total: decimal(38, 5),
      big: nullable(uint64()),
      most: decimal(38, 0, undefined, { initial: -5n }),
      none: nullable(decimal(20, 0)),
    },
    on: {
      Paid: (s, e) => {
        s.total += e.amount + add
        s.big = e.big
        s.most = -e.most
      },
    },
  })
  const devices = defineView({
    name: 'devices',
    log,
    orderFree: true,
    key: { device: uint64(), third: nullable(decimal(19, 0)) },
    keyBy: (e) => ({ device: e.device, third: e.big === null ? null : -(e.big % 2n) }),
    state: { events: int32() },
    on: {
      Paid: (s) => {
        s.events++
      },
    },
    merge: (into, from) => {
      into.events += from.events
    },
    columns: { events: int32(), least: uint64(), share: decimal(38, 37) },
    row: (s, key) => ({ events: s.events, least: key.device - 1n, share: -(10n ** 37n) }),
  })
  return loadedFromDefinition(defineJob({ views: [accounts, devices] }))
}

async function viewOf(name: string): Promise<View> {
  const view = await openView(out, name)
  opened.push(view)
  return view
}

async function parts(name: string): Promise<string> {
  return join(out, name, (await viewOf(name)).generation, 'part-*.parquet')
}

async function ask(sql: string): Promise<unknown[][]> {
  return (await (await duckdb.runAndReadAll(sql)).getRowsJson()) as unknown[][]
}

describe('decimals of more than 18 digits and integers without a sign', () => {
  beforeAll(async () => {
    await rebuild(job(), { out, workers: 0 })
  })

  test('are of their types to DuckDB, and have the values that DuckDB computes', async () => {
    const described = await ask(`DESCRIBE SELECT * FROM '${await parts('accounts')}'`)
    expect(described.map(([name, type]) => [name, type])).toEqual([
      ['account', 'DECIMAL(38,2)'],
      ['total', 'DECIMAL(38,5)'],
      ['big', 'UBIGINT'],
      ['most', 'DECIMAL(38,0)'],
      ['none', 'DECIMAL(20,0)'],
    ])
    const expected = `SELECT account, amount::DECIMAL(38, 5), big, -most, NULL::DECIMAL(20, 0) FROM '${files}'`
    const published = `SELECT * FROM '${await parts('accounts')}'`
    expect(await ask(`SELECT count(*) FROM ((${expected}) EXCEPT (${published}))`)).toEqual([['0']])
    expect(await ask(`SELECT count(*) FROM '${await parts('accounts')}'`)).toEqual([[String(keys)]])
    const device = `SELECT device, (-(big::HUGEINT % 2))::DECIMAL(19, 0) AS third, count(*)::INT, device - 1 FROM '${files}' GROUP BY ALL`
    const rows = `SELECT device, third, events, least FROM '${await parts('devices')}'`
    expect(await ask(`SELECT count(*) FROM ((${device}) EXCEPT (${rows}))`)).toEqual([['0']])
  })

  test('are sorted by value within a part', async () => {
    const sorted = `SELECT account FROM read_parquet('${await parts('accounts')}', file_row_number = true) ORDER BY file_row_number`
    const found = (await ask(sorted)).map(([account]) => BigInt(String(account).replace('.', '')))
    expect(found).toHaveLength(keys)
    expect(found).toEqual(found.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
  })

  test('are found by their texts, alone and as the first of several', async () => {
    const accounts = await viewOf('accounts')
    const row = {
      account: '-4500000000000000000001125.00',
      total: '0.00001',
      big: null,
      most: String(-most),
      none: null,
    }
    expect(await accounts.get(['-4500000000000000000001125.00'])).toEqual([row])
    expect(await accounts.get(['-4500000000000000000001125'])).toEqual([row])
    expect(await accounts.get(['-4500000000000000000001125.01'])).toEqual([])
    const devices = await viewOf('devices')
    expect(await devices.get([18446744073709551615n])).toHaveLength(2)
    expect(await devices.get({ device: '18446744073709551611', third: '-1' })).toEqual([
      {
        device: 18446744073709551611n,
        third: '-1',
        events: 600,
        least: 18446744073709551610n,
        share: `-1.${'0'.repeat(37)}`,
      },
    ])
    expect(await devices.get({ device: 5n })).toEqual([])
    expect(await devices.get({ device: '-5' })).toEqual([])
  })

  test('are shown as JSON and as columns of Arrow', () => {
    const shown = refold(['get', 'devices', '--out', out, '--json', '--', '18446744073709551611', '-1'])
    expect(shown.stdout.trim()).toBe(
      `{"device":18446744073709551611,"third":"-1","events":600,"least":18446744073709551610,"share":"-1.${'0'.repeat(37)}"}`,
    )
    const table = tableFromIPC(refoldBytes('show', 'accounts', '--out', out, '--format', 'arrow', '--limit', '10'))
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual([
      'Decimal[38e+2]',
      'Decimal[38e+5]',
      'Uint64',
      'Decimal[38e0]',
      'Decimal[20e0]',
    ])
    const words = table.get(0)!.toJSON()['most'] as Uint32Array
    const value = BigInt.asIntN(
      128,
      [...words].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n),
    )
    expect(value).toBe(-most)
  })

  test('are shown by a trace', async () => {
    const { events, rows } = await traceKey(job(), { view: 'accounts', key: ['-4499000000000000000001124.75'] })
    expect(events[0]!.fields).toEqual({
      amount: '1000000000000000.00001',
      big: 18446744073709551614n,
      most: String(most),
    })
    expect(events[0]!.after).toMatchObject({ total: '1000000000000000.00001', big: 18446744073709551614n })
    expect(rows).toEqual(await (await viewOf('accounts')).get(['-4499000000000000000001124.75']))
  })

  test('that change are differences', async () => {
    await rebuild(job(1n), { out, workers: 0, views: ['accounts'] })
    const diff = await (await viewOf('accounts')).diff()
    expect((await diff.count()).rows).toEqual({ added: 0, removed: 0, changed: keys, unchanged: 0 })
    for await (const change of diff.changes()) {
      expect(change.old).toEqual({ total: expect.stringMatching(/\.00001$/) })
      expect(change.new).toEqual({ total: expect.stringMatching(/\.00002$/) })
      break
    }
    expect(refold(['diff', 'accounts', '--out', out]).stdout).toContain('total')
  })

  test('are the same for threads, and where states are combined', async () => {
    const path = async (workers: number, combine: boolean) => {
      const at = join(folder.path, `same-${workers}-${combine}`)
      const { views } = await rebuild(job(), { out: at, workers, ...(combine ? {} : { memory: '8MB' }) } as never)
      return views.map(({ digest }) => digest)
    }
    expect(await path(0, false)).toEqual(await path(0, true))
  })

  test('are refused beyond their digits, and below zero', async () => {
    const beyond = refusalOf(() => job(most))
    await expect(beyond).rejects.toThrow('state "total": expected an unscaled bigint of at most 38 digits, found')
  })
})

async function refusalOf(make: () => ReturnType<typeof job>): Promise<unknown> {
  return rebuild(make(), { out: join(folder.path, 'none'), workers: 0 })
}

describe('a column of the log', () => {
  let homes = 0
  const seen = async (query: string, fields: Readonly<Record<string, Type>>) => {
    const path = join(folder.path, `${homes++}.parquet`)
    await duckdb.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)
    const { rows } = await rebuildSeen(folder.path, { files: path, columns: { id: 'n', key: int64('n') }, fields })
    return rows.map((row) => row['seen'])
  }

  test('of any decimal or integer is a wide decimal of a larger scale', async () => {
    const query = `SELECT 1::BIGINT AS n, 5::TINYINT AS a, 18446744073709551615::UBIGINT AS b, 1.25::DECIMAL(4, 2) AS c,
      [1.5::DECIMAL(30, 1)] AS d, '{"x":"12345678901234567890.5","y":123456789012345678901}' AS j`
    const fields = {
      a: decimal(38, 3),
      b: decimal(38, 3),
      c: decimal(38, 3),
      d: decimal(38, 3, 'd.0'),
      x: decimal(38, 3, 'j.x'),
      y: decimal(38, 3, 'j.y'),
      missing: decimal(38, 3, 'none', { whenMissing: 7n }),
    }
    expect(await seen(query, fields)).toEqual([
      [
        '5000n',
        '18446744073709551615000n',
        '1250n',
        '1500n',
        '12345678901234567890500n',
        '123456789012345678901000n',
        '7n',
      ],
    ])
  })

  test('that a declared type does not hold is refused with its row', async () => {
    const query = `SELECT i AS n, (18446744073709551615 - i)::UBIGINT AS u, (-i)::BIGINT AS s, (i + 0.125)::DECIMAL(25, 3) AS d FROM range(2) t(i)`
    await expect(seen(query, { u: int64() })).rejects.toThrow(
      'row 0, column "u": expected an integer of 64 bits with a sign (declare uint64() for one without), found 18446744073709551615',
    )
    await expect(seen(query, { u: bigint() })).rejects.toThrow(
      'row 0, column "u": expected an integer of 64 bits with a sign (declare uint64()',
    )
    const inText = `SELECT 1 AS n, '{"u": 18446744073709551615, "text": "9223372036854775808"}' AS payload`
    for (const path of ['payload.u', 'payload.text'])
      await expect(seen(inText, { u: int64(path) })).rejects.toThrow('declare uint64() for one without')
    const beyond = `SELECT 1 AS n, '{"u": 18446744073709551616}' AS payload`
    await expect(seen(beyond, { u: int64('payload.u') })).rejects.toThrow('expected an integer of 64 bits, found')
    const nested = `SELECT 1 AS n, {'u': 9223372036854775808::UBIGINT} AS payload`
    await expect(seen(nested, { u: int64('payload.u') })).rejects.toThrow('declare uint64() for one without')
    await expect(seen(query, { s: uint64() })).rejects.toThrow(
      'row 1, column "s": expected an integer of 64 bits without a sign, found -1',
    )
    await expect(seen(query, { d: decimal(25, 2) })).rejects.toThrow(
      'row 0, column "d": expected a decimal of at most 25 digits, 2 of them after the point, found 0.125',
    )
    await expect(seen(query, { u: decimal(20, 1) })).rejects.toThrow(
      'row 0, column "u": expected a decimal of at most 20 digits',
    )
    expect(await seen(query, { u: uint64(), text: string('u') })).toEqual([
      ['18446744073709551615n', '18446744073709551615'],
      ['18446744073709551614n', '18446744073709551614'],
    ])
  })
})
