import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateLedger, type LedgerOptions, type LedgerSummary } from '../../scripts/generate.ts'
import { ConfigurationError } from '../../src/model/errors.ts'

let folder: string
let duckdb: DuckDBConnection
let count = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refold-generate-'))
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run("SET TimeZone = 'UTC'")
})

afterAll(() => {
  duckdb.closeSync()
  rmSync(folder, { recursive: true, force: true })
})

const small = { events: 20_000, accounts: 2000, partitions: 3, rowGroupRows: 2048, workers: 1 }

async function generate(options: Partial<LedgerOptions> = {}): Promise<LedgerSummary> {
  return await generateLedger({ ...small, out: join(folder, String(count++)), ...options })
}

/** The first row of a query in which LEDGER stands for all files, with their rows' numbers. */
async function ask(ledger: LedgerSummary, query: string): Promise<unknown[]> {
  const files = `read_parquet('${ledger.folder}/*/*.parquet', hive_partitioning = true, filename = true, file_row_number = true)`
  const result = await duckdb.runAndReadAll(query.replaceAll('LEDGER', files))
  return result.getRowsJS()[0] as unknown[]
}

/** Path within the ledger and hash of each file. */
function contents({ folder, files }: LedgerSummary): string[] {
  return files.map(({ path }) => {
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex')
    return `${path.slice(folder.length)} ${hash}`
  })
}

describe('generateLedger()', () => {
  test('writes the partitions, rows and bytes that it says', async () => {
    const ledger = await generate()
    expect(readdirSync(ledger.folder)).toEqual(['p=00', 'p=01', 'p=02'])
    expect(ledger.files.map(({ path }) => path)).toEqual(
      ['p=00', 'p=01', 'p=02'].map((partition) => join(ledger.folder, partition, 'part-00000.parquet')),
    )
    expect(ledger.events).toBe(small.events)
    expect(ledger.rows).toBe(ledger.events + ledger.duplicates)
    expect(ledger.bytes).toBe(ledger.files.reduce((sum, { path }) => sum + readFileSync(path).length, 0))
    expect(
      await ask(ledger, 'SELECT count(*), count(DISTINCT event_id), min(event_id), max(event_id) FROM LEDGER'),
    ).toEqual([BigInt(ledger.rows), 20_000n, 0n, 19_999n])
  })

  test('writes the columns and encodings that it promises', async () => {
    const ledger = await generate({ payload: 'json' })
    const described = await duckdb.runAndReadAll(
      `DESCRIBE FROM read_parquet('${ledger.files[0]!.path}', hive_partitioning = false)`,
    )
    expect(described.getRowsJS().map((row) => `${row[0]} ${row[1]}`)).toEqual([
      'event_id BIGINT',
      'account_id VARCHAR',
      'branch VARCHAR',
      'type VARCHAR',
      'payload JSON',
      'occurred_at TIMESTAMP WITH TIME ZONE',
      'recorded_at TIMESTAMP WITH TIME ZONE',
      'seq BIGINT',
    ])
    const encodings = await duckdb.runAndReadAll(`SELECT DISTINCT path_in_schema, compression
      FROM parquet_metadata('${ledger.files[0]!.path}') WHERE encodings LIKE '%DICTIONARY%' ORDER BY 1`)
    expect(encodings.getRowsJS()).toEqual([
      ['branch', 'SNAPPY'],
      ['type', 'SNAPPY'],
    ])
    expect(
      await ask(
        ledger,
        `SELECT count(DISTINCT branch), count(DISTINCT type), bool_and(length(account_id) = 12) FROM LEDGER`,
      ),
    ).toEqual([40n, 7n, true])
  })

  test('puts the same amounts into the payload as into the column', async () => {
    const [plain, json] = [await generate(), await generate({ payload: 'json' })]
    const totals = 'sum(hash(event_id, amount))::VARCHAR'
    expect(
      await ask(json, `SELECT ${totals} FROM (SELECT event_id, (payload->>'amount')::BIGINT AS amount FROM LEDGER)`),
    ).toEqual(await ask(plain, `SELECT ${totals} FROM LEDGER`))
  })

  test('writes the same bytes for the same options, on one thread and on several', async () => {
    const [once, again, threads] = [await generate(), await generate(), await generate({ workers: 2 })]
    expect(contents(again)).toEqual(contents(once))
    expect(contents(threads)).toEqual(contents(once))
    expect({ ...threads, folder: '', files: [], seconds: 0 }).toEqual({ ...once, folder: '', files: [], seconds: 0 })
    expect(contents(await generate({ seed: 43 }))).not.toEqual(contents(once))
  })

  test('makes the same events however they are partitioned', async () => {
    const rows = `SELECT sum(hash(event_id, account_id, branch, type, amount, occurred_at, recorded_at, seq))::VARCHAR
      FROM (SELECT DISTINCT ON (event_id) * FROM LEDGER)`
    const expected = await ask(await generate(), rows)
    expect(await ask(await generate({ partitions: 1 }), rows)).toEqual(expected)
    expect(await ask(await generate({ partitions: 5, files: 3 }), rows)).toEqual(expected)
    expect(await ask(await generate({ partitionBy: 'day' }), rows)).toEqual(expected)
  })

  test('keeps the shares asked for', async () => {
    const ledger = await generate({ duplicates: 0.1, late: 0.2, outOfOrder: 0.05, skew: 0.3 })
    const share = (part: number): number => part / ledger.events
    expect(share(ledger.duplicates)).toBeCloseTo(0.1, 1.5)
    expect(share(ledger.late)).toBeCloseTo(0.2, 1.5)
    expect(share(ledger.displaced)).toBeCloseTo(0.05, 1.5)
    const [late, skewed] = await ask(
      ledger,
      `SELECT count(*) FILTER (occurred_at < recorded_at), count(*) FILTER (account_id = 'AC0000000001')
      FROM (SELECT DISTINCT ON (event_id) * FROM LEDGER)`,
    )
    expect(late).toBe(BigInt(ledger.late))
    expect(share(Number(skewed))).toBeGreaterThan(0.29)
    expect(share(Number(skewed))).toBeLessThan(0.35)
  })

  test('makes none of what is asked not to be there', async () => {
    const ledger = await generate({ duplicates: 0, late: 0, outOfOrder: 0 })
    expect(ledger).toMatchObject({ rows: 20_000, duplicates: 0, late: 0, displaced: 0 })
    const [late, backwards] = await ask(
      ledger,
      `SELECT count(*) FILTER (occurred_at <> recorded_at), count(*) FILTER (event_id < before)
      FROM (SELECT *, lag(event_id) OVER (PARTITION BY filename ORDER BY file_row_number) AS before FROM LEDGER)`,
    )
    expect([late, backwards]).toEqual([0n, 0n])
  })

  test('delivers duplicates later, identical in all columns, in any file of their partition', async () => {
    const ledger = await generate({ duplicates: 0.1, files: 4 })
    const [duplicated, most, different, elsewhere, otherPartition] = await ask(
      ledger,
      `SELECT count(*) FILTER (n > 1), max(n), count(*) FILTER (variants > 1), count(*) FILTER (files > 1),
      count(*) FILTER (partitions > 1) FROM (SELECT count(*) AS n, count(DISTINCT filename) AS files, count(DISTINCT p) AS partitions,
      count(DISTINCT (account_id, branch, type, amount, occurred_at, recorded_at, seq)) AS variants FROM LEDGER GROUP BY event_id)`,
    )
    expect(duplicated).toBe(BigInt(ledger.duplicates))
    expect([most, different, otherPartition]).toEqual([2n, 0n, 0n])
    expect(Number(elsewhere)).toBeGreaterThan(100)
  })

  test('numbers the stream of each account, all of it in one partition', async () => {
    const [wrong, scattered, notOpened] = await ask(
      await generate(),
      `SELECT count(*) FILTER (seq <> place), max(partitions), count(*) FILTER ((seq = 0) <> (type = 'Opened')) FROM (SELECT *,
      row_number() OVER (PARTITION BY account_id ORDER BY recorded_at, event_id) - 1 AS place,
      len(list_distinct(list(p) OVER (PARTITION BY account_id))) AS partitions
      FROM (SELECT DISTINCT ON (event_id) * FROM LEDGER))`,
    )
    expect([wrong, scattered, notOpened]).toEqual([0n, 1n, 0n])
  })

  test('records in the days asked for, and nothing occurs before them or after it was recorded', async () => {
    const ledger = await generate({ days: 7, late: 0.5 })
    const range = `SELECT min(recorded_at)::DATE::VARCHAR, max(recorded_at)::DATE::VARCHAR, min(occurred_at)::DATE::VARCHAR,
      count(*) FILTER (occurred_at > recorded_at) FROM LEDGER`
    expect(await ask(ledger, range)).toEqual(['2026-01-01', '2026-01-07', '2026-01-01', 0n])
  })

  test('puts each day into a folder of its own', async () => {
    const ledger = await generate({ partitionBy: 'day', days: 4 })
    expect(readdirSync(ledger.folder)).toEqual(['day=2026-01-01', 'day=2026-01-02', 'day=2026-01-03', 'day=2026-01-04'])
    expect(await ask(ledger, 'SELECT count(*) FILTER (recorded_at::DATE <> day) FROM LEDGER')).toEqual([0n])
  })

  test('lets some withdrawals take more than there is', async () => {
    const [overdrawn] = await ask(
      await generate(),
      `SELECT avg((balance < 0)::INT) FROM (SELECT type, sum(CASE WHEN type IN ('Deposited', 'TransferredIn', 'InterestPaid')
      THEN amount ELSE -amount END) OVER (PARTITION BY account_id ORDER BY seq) AS balance
      FROM (SELECT DISTINCT ON (event_id) * FROM LEDGER)) WHERE type = 'Withdrawn'`,
    )
    expect(Number(overdrawn)).toBeGreaterThan(0.01)
    expect(Number(overdrawn)).toBeLessThan(0.25)
  })

  test('writes more partitions than there are accounts', async () => {
    const ledger = await generate({ events: 5, accounts: 1, partitions: 3, files: 2, duplicates: 0 })
    expect(ledger.files).toHaveLength(6)
    expect(await ask(ledger, 'SELECT count(*) FROM LEDGER')).toEqual([5n])
  })

  test('leaves a folder with content alone, and replaces nothing but a ledger when forced', async () => {
    const out = join(folder, 'mine')
    mkdirSync(out)
    writeFileSync(join(out, 'notes.txt'), 'mine')
    await expect(generate({ out })).rejects.toThrow(ConfigurationError)
    await expect(generate({ out })).rejects.toThrow('expected an empty folder, found notes.txt. Pass --force')
    expect(readdirSync(out)).toEqual(['notes.txt'])
    await generate({ out, partitions: 4, force: true })
    await generate({ out, partitions: 2, force: true })
    expect(readdirSync(out).sort()).toEqual(['notes.txt', 'p=00', 'p=01'])
  })

  test.each<[Partial<LedgerOptions>, string]>([
    [{ duplicates: 2 }, 'expected --duplicates to be a share from 0 to 1, found 2'],
    [{ outOfOrder: -1 }, 'expected --out-of-order to be a share from 0 to 1, found -1'],
    [{ events: 0 }, 'expected --events to be a whole number from 1 to 2^32 - 1, found 0'],
    [{ accounts: Number.NaN }, 'expected --accounts to be a whole number from 1 to 2^32 - 1, found NaN'],
    [{ codec: 'LZO' as never }, 'expected --codec to be SNAPPY, ZSTD, UNCOMPRESSED, GZIP, found LZO'],
  ])('refuses %o before it writes anything', async (options, message) => {
    const out = join(folder, 'refused')
    await expect(generate({ ...options, out })).rejects.toThrow(message)
    expect(existsSync(out)).toBe(false)
  })
})

describe('node scripts/generate.ts', () => {
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, ['scripts/generate.ts', ...words], { encoding: 'utf8', stdio: 'pipe' })

  test('explains its options', () => {
    expect(run('--help')).toContain('--out-of-order 0.01')
  })

  test('takes every option and prints what it made', async () => {
    const out = join(folder, 'printed')
    const words = ['--events', '1000', '--accounts', '50', '--partitions', '2', '--duplicates', '0', '--late', '0.5']
    const printed = run(
      '--out',
      out,
      ...words,
      '--out-of-order',
      '0',
      '--codec',
      'ZSTD',
      '--row-group',
      '100',
      '--seed',
      '7',
    )
    expect(printed).toContain('1,000 events in 1,000 rows: 0 delivered twice,')
    expect(printed).toMatch(/2 files, 0\.\d MB in \d+\.\d s: /)
    const library = await generate({
      ...{ events: 1000, accounts: 50, partitions: 2, duplicates: 0, late: 0.5, outOfOrder: 0 },
      ...{ codec: 'ZSTD', rowGroupRows: 100, seed: 7 },
    })
    const files = library.files.map((file) => ({ ...file, path: file.path.replace(library.folder, out) }))
    expect(contents({ ...library, folder: out, files })).toEqual(contents(library))
  })

  test.each([
    [['--events', 'many'], 'expected --events'],
    [['--evnets', '1'], "Unknown option '--evnets'"],
  ])('ends with 2 and one line for %o', (words, message) => {
    let failure: { status?: number; stderr?: string } = {}
    try {
      run('--out', join(folder, 'wrong'), ...words)
    } catch (error) {
      failure = error as typeof failure
    }
    expect(failure.status).toBe(2)
    expect(failure.stderr).toContain(message)
  })
})
