/** Makes a bank ledger of any size: a log to try Refold on. How it is made is described in src/bench/ledger/generate.ts. */
import { parseArgs } from 'node:util'
import { generateLedger, type LedgerOptions } from '../src/bench/ledger/generate.ts'
import { ConfigurationError } from '../src/model/errors.ts'

export { generateLedger, type LedgerOptions, type LedgerSummary } from '../src/bench/ledger/generate.ts'

const help = `Makes a bank ledger: the same files for the same options.

node scripts/generate.ts [options]

  --out data/generated/ledger   folder of the ledger
  --events 1000000              different events
  --accounts 100000             accounts at most
  --partitions 8                folders p=00 …, by account
  --partition-by account        account, or day: folders day=2026-01-01 …
  --files 1                     files in each partition
  --days 90                     days from 2026-01-01
  --duplicates 0.02             share of the events that are delivered twice
  --late 0.05                   share recorded hours to weeks after they occurred
  --out-of-order 0.01           share that is too late in its file
  --skew 0                      share of all events on one account
  --payload column              column: an amount column; json: the amount in a JSON column
  --codec SNAPPY                SNAPPY, ZSTD, UNCOMPRESSED or GZIP
  --row-group 131072            rows in a row group
  --seed 42
  --workers                     threads; default one for each processor
  --force                       replace a ledger

Examples:
  node scripts/generate.ts --events 10000000 --accounts 1000000 --force
  node scripts/generate.ts --events 50000 --accounts 1000 --skew 0.2 --payload json --out /tmp/ledger`

function readArguments(): LedgerOptions | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      ...{ out: text, events: text, accounts: text, partitions: text, 'partition-by': text, files: text, days: text },
      ...{ duplicates: text, late: text, 'out-of-order': text, skew: text, payload: text, codec: text },
      ...{ 'row-group': text, seed: text, workers: text },
      force: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return null
  const options: Record<string, unknown> = { out: 'data/generated/ledger' }
  for (const [name, value] of Object.entries(values)) {
    const key = name === 'row-group' ? 'rowGroupRows' : name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
    const isText = ['out', 'payload', 'codec', 'partition-by', 'force'].includes(name)
    options[key] = isText || String(value).trim() === '' ? value : Number(value)
  }
  return options as unknown as LedgerOptions
}

async function main(): Promise<void> {
  const options = readArguments()
  if (options === null) return console.log(help)
  const { folder, files, events, rows, duplicates, late, displaced, bytes, seconds } = await generateLedger(options)
  const count = (value: number): string => value.toLocaleString('en')
  console.log(`${count(events)} events in ${count(rows)} rows: ${count(duplicates)} delivered twice,`)
  console.log(`${count(late)} recorded late, ${count(displaced)} out of order`)
  console.log(`${count(files.length)} files, ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s: ${folder}`)
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    const isUsage =
      error instanceof ConfigurationError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
    process.exitCode = isUsage ? 2 : 1
  })
}
