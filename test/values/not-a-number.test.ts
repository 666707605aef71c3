import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, float64, int64 } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { Column } from '../../src/model/column.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readColumns } from '../../src/parquet/scan.ts'
import { encodeParquet } from '../../src/parquet/write.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import { readPublished, scratch } from '../support/logs.ts'

const folder = scratch('not-a-number')
afterAll(folder.remove)

/** Bits of NaNs: quiet, negative, with a payload, signalling. */
const patterns = [0x7ff8000000000000n, -0x8000000000000n, 0x7ff8000000000abcn, 0x7ff0000000000001n]

test('a NaN is published with one pattern of bits, whatever the log has, from states and from rows', async () => {
  const base = { length: patterns.length, nullCount: 0, validity: null }
  const bits = BigInt64Array.from(patterns)
  const data: Column[] = [
    { kind: 'int64', ...base, values: BigInt64Array.from(patterns, (_, n) => BigInt(n)) },
    { kind: 'float64', ...base, values: new Float64Array(bits.buffer) },
  ]
  const fields = { n: int64(), x: float64() }
  const columns = Object.entries(fields).map(([name, type]) => ({ name, type }))
  const files = join(folder.path, 'log/0.parquet')
  mkdirSync(join(folder.path, 'log'))
  writeFileSync(files, Buffer.concat(encodeParquet(columns, data)))
  const log = defineLog({ name: 'log', files, columns: { id: 'n', key: int64('n') }, fields: { x: float64() } })
  const view = defineView({
    name: 'numbers',
    log,
    orderFree: true,
    state: { x: float64() },
    on: {
      '*': (s, e) => {
        s.x = e.x
      },
    },
  })
  const shaped = defineView({
    ...view,
    name: 'shaped',
    columns: { x: float64() },
    row: (s: { x: number }) => ({ x: s.x }),
  } as never)
  const job = loadedFromDefinition(defineJob({ views: [view, shaped] }))
  const { views } = await rebuild(job, { out: join(folder.path, 'views'), workers: 0 })
  for (const { path } of views) {
    const { manifest } = readPublished(path)
    const file = disk.openForReading(join(path, manifest.files[0]!.name))
    const [column] = readColumns(openParquet(file), 0, [['x']])
    if (column?.kind !== 'float64') throw new Error('expected numbers')
    const found = new BigInt64Array(column.values.slice().buffer)
    expect([...found]).toEqual(patterns.map(() => 0x7ff8000000000000n))
    file.close()
  }
})
