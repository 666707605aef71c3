import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  defineJob,
  defineLog,
  defineView,
  type Fields,
  float64,
  int32,
  int64,
  json,
  nullable,
  openView,
  string,
  timestamp,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Row, readPublished, scratch, writeRows } from '../support/logs.ts'
import { rebuildSeen } from '../support/value-logs.ts'

const folder = scratch('keys')
let duckdb: DuckDBConnection
let places = 0
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
})
afterAll(() => {
  duckdb.closeSync()
  folder.remove()
})

const place = (name = '') => join(folder.path, String(places++), name)

/** Publishes one event for each of some keys, and counts the events of each key. */
async function countKeys(key: Fields, keys: readonly object[], more: object = {}) {
  const path = writeRows(
    place('log.parquet'),
    { n: int64() },
    keys.map((_, n) => ({ n })),
  )
  const log = defineLog({ name: 'log', files: path, columns: { id: 'n' }, fields: { n: int64() } })
  const view = defineView({
    name: 'counts',
    log,
    orderFree: true,
    key,
    keyBy: (e: { n: number }) => keys[e.n],
    state: { events: int32() },
    on: {
      '*': (s: { events: number }) => {
        s.events++
      },
    },
    ...more,
  } as never)
  const out = place()
  const { views } = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
  return { out, rows: readPublished(views[0]!.path).rows, path: views[0]!.path }
}

async function valuesOf(key: Fields, keys: readonly object[]): Promise<unknown[][]> {
  const { rows } = await countKeys(key, keys)
  return rows.map((row) => Object.values(row))
}

describe('keys of several columns', () => {
  const texts = { a: string(), b: string() }

  test('that join to one text are different keys, and are read back as they were', async () => {
    const keys = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['', 'abc'],
      ['abc', ''],
      ['a\u0000', 'b'],
      ['a', '\u0000b'],
      ['a\u0000\u00ff', 'b'],
      ['a\u0000\u0000', ''],
      ['a', '\u0000\u0000'],
    ].map(([a, b]) => ({ a, b }))
    const { rows, out } = await countKeys(texts, keys)
    expect(rows).toHaveLength(keys.length)
    expect(new Set(rows.map(({ a, b }) => JSON.stringify([a, b])))).toEqual(
      new Set(keys.map(({ a, b }) => JSON.stringify([a, b]))),
    )
    const view = await openView(out, 'counts')
    for (const { a, b } of keys) expect(await view.get([a!, b!])).toEqual([{ a, b, events: 1 }])
    view.close()
  })

  test('keep null, an empty text and the text null apart, wherever they are', async () => {
    const maybe = { a: nullable(string()), b: nullable(string()) }
    const parts = [null, '', 'null', '\u0000']
    const keys = parts.flatMap((a) => parts.map((b) => ({ a, b })))
    expect(await valuesOf(maybe, [...keys, ...keys])).toEqual(expect.arrayContaining(keys.map(({ a, b }) => [a, b, 2])))
    expect(await valuesOf(maybe, keys)).toHaveLength(keys.length)
  })
})

describe('keys of floating-point numbers', () => {
  test('are one for 0 and −0, and refused for what is no number', async () => {
    expect(await valuesOf({ x: float64() }, [{ x: 0 }, { x: -0 }, { x: 1e-320 }])).toEqual([
      [0, 2],
      [1e-320, 1],
    ])
    await expect(countKeys({ x: float64() }, [{ x: Number.NaN }])).rejects.toThrow(
      'key column "x": expected a number that is not NaN, found NaN',
    )
  })
})

describe('long keys', () => {
  test('of 65,535 bytes are whole, and longer ones are refused with their event', async () => {
    const long = (end: string) => `${'ä'.repeat(32_767)}${end}`
    expect(await valuesOf({ k: string() }, [{ k: long('a') }, { k: long('b') }])).toEqual([
      [long('a'), 1],
      [long('b'), 1],
    ])
    await expect(countKeys({ k: string() }, [{ k: 'short' }, { k: long('ab') }])).rejects.toThrow(
      /row 1, event 1: expected at most 65535 bytes, found 65536/,
    )
  })
})

describe("strings that UTF-8 can't encode", () => {
  const half = '\ud800'

  test('are refused as keys that keyBy gives, alone, among others and from any event', async () => {
    for (const key of [{ k: string() }, { k: string(), more: int32() }]) {
      await expect(
        countKeys(key, [
          { k: 'fine', more: 1 },
          { k: half, more: 1 },
        ]),
      ).rejects.toThrow(
        /row 1, event 1: key column "k": expected text that UTF-8 can encode, without half of a surrogate pair, found "\\ud800"/,
      )
    }
    expect(await valuesOf({ k: string() }, [{ k: '\ud83d\ude00' }, { k: '\ufffd' }])).toHaveLength(2)
  })

  test('are refused as states and in rows, with the key', async () => {
    const state = (s: { text: string }) => {
      s.text = half
    }
    await expect(
      countKeys({ k: int32() }, [{ k: 7 }], { state: { text: string() }, on: { '*': state } }),
    ).rejects.toThrow('for key 7: state "text": expected text that UTF-8 can encode')
    const row = { columns: { text: string() }, row: () => ({ text: half }) }
    await expect(countKeys({ k: int32() }, [{ k: 7 }], row)).rejects.toThrow(
      'for key 7: column "text": expected text that UTF-8 can encode',
    )
    const merged = { merge: () => {}, state: { text: string() }, on: { '*': state } }
    await expect(countKeys({ k: int32() }, [{ k: 7 }], merged)).rejects.toThrow('expected text that UTF-8 can encode')
  })

  test('are no fault where another value took their place, or U+FFFD is meant', async () => {
    const on = {
      '*': (s: { text: string | null; other: string }, e: { n: number }) => {
        s.text = e.n % 2 === 0 ? half : null
        s.other = '\ufffd'
      },
    }
    const state = { text: nullable(string()), other: string() }
    const { rows } = await countKeys({ k: int32() }, [{ k: 7 }, { k: 7 }], { state, on })
    expect(rows).toEqual([{ k: 7, text: null, other: '\ufffd' }])
  })

  test('are refused within JSON that is published, as other engines refuse the file', async () => {
    const publish = (value: unknown) => {
      const on = {
        '*': (s: { doc: unknown }) => {
          s.doc = value
        },
      }
      return countKeys({ k: int32() }, [{ k: 7 }], { state: { doc: json() }, on })
    }
    for (const value of [{ [half]: 1 }, [half], `\\${half}`]) {
      await expect(publish(value)).rejects.toThrow(
        'for key 7: state "doc": expected a JSON value, found what JSON can\'t say (half of a surrogate pair)',
      )
    }
    const sound = ['\\ud800', '\\\\ud800', '\ud83d\ude00']
    const { rows, path } = await publish(sound)
    expect(rows).toEqual([{ k: 7, doc: sound }])
    const read = await duckdb.runAndReadAll(`SELECT doc->>2 FROM '${path}/part-*.parquet'`)
    expect(read.getRowsJson()).toEqual([['\ud83d\ude00']])
  })

  test('are refused where an upcaster gives them', async () => {
    const rows: Row[] = [{ n: 1, type: 'Old', text: 'fine' }]
    const path = writeRows(place('log.parquet'), { n: int64(), type: string(), text: string() }, rows)
    const log = defineLog({
      name: 'log',
      files: path,
      columns: { id: 'n', key: int64('n'), type: 'type' },
      fields: { text: string() },
      upcast: { Old: () => ({ type: 'New', text: half }) },
    })
    const view = defineView({
      name: 'texts',
      log,
      orderFree: true,
      state: { text: string() },
      on: {
        New: (s, e) => {
          s.text = e.text
        },
      },
    })
    const rebuilt = rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out: place(), workers: 0 })
    await expect(rebuilt).rejects.toThrow('expected text that UTF-8 can encode')
  })
})

describe('ids of several columns', () => {
  test('that join to one text are different events', async () => {
    const ids = [
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a\\', '/b'],
      ['a', '\\/b'],
      ['', 'a'],
      ['a', ''],
    ].map(([a, b], n) => ({ a, b, n }))
    const path = writeRows(place('log.parquet'), { a: string(), b: string(), n: int64() }, ids)
    const read = { files: path, columns: { id: ['a', 'b'], key: int64('n') } }
    const { report } = await rebuildSeen(folder.path, read)
    expect(report.views[0]!.counters).toMatchObject({ applied: ids.length, duplicate: 0 })
  })
})

describe('keys that are moments', () => {
  test('are one in files of several units', async () => {
    const at = "TIMESTAMPTZ '2021-05-22 06:00:00.25Z'"
    const files = await Promise.all(
      [`${at}`, `(${at})::TIMESTAMP::TIMESTAMP_MS::TIMESTAMPTZ`].map(async (value, n) => {
        const path = place('log.parquet')
        mkdirSync(join(path, '..'), { recursive: true })
        await duckdb.run(`COPY (SELECT ${n}::BIGINT AS n, ${value} AS at) TO '${path}' (FORMAT parquet)`)
        return path
      }),
    )
    files.push(
      writeRows(place('log.parquet'), { n: int64(), at: timestamp('ms') }, [
        { n: 5, at: Date.UTC(2021, 4, 22, 6, 0, 0, 250) },
      ]),
    )
    files.push(
      writeRows(place('log.parquet'), { n: int64(), at: timestamp('ns') }, [
        { n: 6, at: BigInt(Date.UTC(2021, 4, 22, 6, 0, 0, 250)) * 1_000_000n },
      ]),
    )
    const { rows } = await rebuildSeen(folder.path, { files, columns: { id: 'n', key: timestamp('us', 'at') } })
    expect(rows.map((row) => Object.values(row).slice(0, 2))).toEqual([[Date.UTC(2021, 4, 22, 6, 0, 0, 250) * 1000, 4]])
  })
})

describe('the values of Hive folders', () => {
  async function logOf(...names: readonly string[]): Promise<string> {
    const home = place()
    for (const [n, name] of names.entries()) writeRows(join(home, name, 'log.parquet'), { n: int64() }, [{ n }])
    return home
  }
  const counts = async (home: string) => {
    const { rows } = await rebuildSeen(folder.path, { files: home, columns: { id: 'n', key: 'k' } })
    return rows.map((row) => Object.values(row).slice(0, 2))
  }

  test('are percent-decoded, once', async () => {
    expect(await counts(await logOf('k=a%2Fb', 'k=Zoë', 'k=Zo%C3%AB', 'k=100%2525', 'k='))).toEqual([
      ['', 1],
      ['100%25', 1],
      ['Zoë', 2],
      ['a/b', 1],
    ])
  })

  test.each(['k=%ff', 'k=100%', 'k=%zz'])(
    'of %s, which is no encoded text, are refused where they are read',
    async (name) => {
      await expect(counts(await logOf(name))).rejects.toThrow(
        /log\.parquet, column "k" \(the events' key\): expected the percent-encoded UTF-8 text of a folder, found ".*%/,
      )
      const { rows } = await rebuildSeen(folder.path, {
        files: await logOf(name),
        columns: { id: 'n', key: int64('n') },
      })
      expect(rows).toHaveLength(1)
    },
  )
})
