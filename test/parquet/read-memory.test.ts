import { describe, expect, test } from 'vitest'
import { openParquet } from '../../src/parquet/file.ts'
import { BatchMemory, type ReadMemory } from '../../src/parquet/read-memory.ts'
import { readColumns } from '../../src/parquet/scan.ts'
import { valueReader } from '../../src/parquet/values.ts'
import { fileOf, smallSamples } from '../support/parquet-samples.ts'

function fill<T extends Uint8Array | Uint16Array | Int32Array | BigInt64Array | Float64Array>(array: T): T {
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).fill(0xa5)
  return array
}

/** Memory that others used before. */
const usedMemory: ReadMemory = {
  bytes: (length) => fill(new Uint8Array(length)),
  uint16: (length) => fill(new Uint16Array(length)),
  int32: (length) => fill(new Int32Array(length)),
  int64: (length) => fill(new BigInt64Array(length)),
  float64: (length) => fill(new Float64Array(length)),
}

/** All values of all columns, row group by row group. */
function valuesOf(bytes: Uint8Array, memory: ReadMemory | undefined, before: () => void): unknown[] {
  const file = openParquet(fileOf(bytes))
  return file.rowGroups.flatMap(({ index }) => {
    before()
    const paths = file.schema.map(({ name }) => [name])
    return readColumns(file, index, paths, undefined, memory).map((column, i) => {
      const read = valueReader(column, file.schema[i]!.type)
      return Array.from({ length: column.length }, (_, row) => read(row))
    })
  })
}

describe('memory that columns are decoded to', () => {
  test.each([...smallSamples()])('may hold anything before: %s', (_, bytes) => {
    const expected = valuesOf(bytes, undefined, () => {})
    expect(valuesOf(bytes, usedMemory, () => {})).toEqual(expected)
    const memory = new BatchMemory()
    for (let round = 0; round < 3; round++) expect(valuesOf(bytes, memory, () => memory.reset())).toEqual(expected)
  })

  test('is the same for each batch, once it has grown to what a batch needs', () => {
    const memory = new BatchMemory()
    const take = () => {
      memory.reset()
      return [memory.bytes(1), memory.int32(1000), memory.int64(3), memory.float64(5), memory.uint16(7)] as const
    }
    expect(new Set(take().map(({ buffer }) => buffer)).size).toBe(5)
    const arrays = take()
    expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(1)
    expect(take()[0].buffer).toBe(arrays[0].buffer)
    expect(arrays.map(({ length }) => length)).toEqual([1, 1000, 3, 5, 7])
    const ends = arrays.map(({ byteOffset, byteLength }) => byteOffset + byteLength)
    expect(arrays.slice(1).every(({ byteOffset }, i) => byteOffset >= ends[i]!)).toBe(true)
  })

  test('is held up to a limit, and the same all the same where batches need more', () => {
    const memory = new BatchMemory(1024)
    const take = () => {
      memory.reset()
      return [memory.bytes(640), memory.bytes(4096)].map(({ buffer }) => buffer)
    }
    take()
    const [held, beyond] = take()
    const [again, more] = take()
    expect(held!.byteLength).toBe(1024)
    expect(again).toBe(held)
    expect(more).not.toBe(beyond)
  })
})
