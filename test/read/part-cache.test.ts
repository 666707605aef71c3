import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { string } from '../../src/model/types.ts'
import { PartCache } from '../../src/read/part-cache.ts'
import { openPart } from '../../src/read/view-files.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { scratch, writeRows } from '../support/logs.ts'

const folder = scratch('part-cache')
afterAll(() => folder.remove())

test('the parts used last stay open, others are opened again', () => {
  const listed = Array.from({ length: 70 }, (_, i) => ({ name: `part-${i}.parquet`, rows: 1, bytes: 0, sha256: '' }))
  for (const { name } of listed) writeRows(join(folder.path, name), { id: string() }, [{ id: name }])
  const cache = new PartCache(folder.path)
  const opened = listed.map((file) => cache.open(file))
  expect(cache.open(listed[69]!)).toBe(opened[69])
  // Of 70, the first 6 were closed; the next to go is the one that was used least lately.
  expect(cache.open(listed[6]!)).toBe(opened[6])
  const again = cache.open(listed[0]!)
  expect(again).not.toBe(opened[0])
  expect(again.rows).toBe(1)
  expect(cache.open(listed[7]!)).not.toBe(opened[7])
  expect(cache.open(listed[6]!)).toBe(opened[6])
  cache.close()
  expect(cache.open(listed[69]!)).not.toBe(opened[69])
  cache.close()
})

test('a damaged part is not left open', () => {
  const path = join(folder.path, 'damaged.parquet')
  writeFileSync(path, 'this is no Parquet file')
  let closed = 0
  const files: Disk = {
    ...disk,
    openForReading: (name) => {
      const file = disk.openForReading(name)
      const close = () => {
        closed++
        file.close()
      }
      return { ...file, close }
    },
  }
  expect(() => openPart(path, files)).toThrow(InputError)
  expect(closed).toBe(1)
})
