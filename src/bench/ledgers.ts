import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateLedger, type LedgerOptions } from './ledger/generate.ts'
import { type SizeName, sizes } from './sizes.ts'

/** The logs that workloads read: the same events, but for what is said. */
export const ledgerKinds = {
  plain: { duplicates: 0 },
  duplicates: { duplicates: 0.02 },
  json: { duplicates: 0, payload: 'json' },
  skew: { duplicates: 0, skew: 0.2 },
  zstd: { duplicates: 0, codec: 'ZSTD' },
} as const satisfies Readonly<Record<string, Partial<LedgerOptions>>>

export type LedgerKind = keyof typeof ledgerKinds

/** One log of the benchmark. */
export interface LedgerChoice {
  readonly kind: LedgerKind
  readonly size: SizeName
  readonly seed: number
  /** Whether values that repeat are written as codes and a dictionary; the rows are the same. */
  readonly dictionary: boolean
}

export interface BenchLedger {
  readonly folder: string
  readonly files: readonly string[]
  readonly rows: number
  readonly bytes: number
}

/** Says of a folder that its ledger is whole, and of which options it was made. */
const markName = '_ledger.json'

/** Raised whenever the generator makes other bytes of the same options. */
const generatorVersion = 1

/** The ledger chosen, below `data`; made where it isn't there yet. `onMake` is called before. */
export async function prepareLedger(choice: LedgerChoice, data: string, onMake: () => void): Promise<BenchLedger> {
  const { kind, size, seed, dictionary } = choice
  const folder = join(data, `${size}-${seed}`, dictionary ? kind : `${kind}-without-dictionaries`)
  const { events } = sizes[size]
  const options = {
    events,
    accounts: events / 10,
    late: 0.05,
    outOfOrder: 0.01,
    seed,
    dictionary,
    ...ledgerKinds[kind],
  }
  const made = JSON.stringify({ generatorVersion, ...options })
  const mark = join(folder, markName)
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== made) {
    onMake()
    // A folder without a mark is what a stopped benchmark left.
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await generateLedger({ ...options, out: folder })
    writeFileSync(mark, made)
  }
  return describeLedger(folder, events)
}

function describeLedger(folder: string, rows: number): BenchLedger {
  const files = globSync('*/*.parquet', { cwd: folder })
    .sort()
    .map((name) => join(folder, name))
  return { folder, files, rows, bytes: files.reduce((sum, file) => sum + statSync(file).size, 0) }
}

/** Reads all files once, so that no contender is the first to fetch them from the disk. */
export function warmLedger({ files }: BenchLedger): void {
  for (const file of files) readFileSync(file)
}
