import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { fileOf, smallSamples } from '../support/parquet-samples.ts'

/** All a damaged file may cost: time of one read, and memory beyond what the process has anyway. */
const millisecondsMax = 3_000
const bytesMax = 700 * 2 ** 20

const path = 'damaged.parquet'

/** Reads all there is: the rows, or the error's message. Anything but an InputError that names the file is a failure. */
function attempt(bytes: Uint8Array, damage: () => string): 'read' | 'refused' {
  const before = performance.now()
  try {
    const file = openParquet(fileOf(bytes, path))
    for (const rowGroup of file.rowGroups) for (const field of file.schema) rowGroup.statistics(field.path)
    for (const row of readRows(file)) void row
    if (file.rows > 3) for (const row of readRows(file, { from: 1, to: 3 })) void row
    return 'read'
  } catch (error) {
    if (!(error instanceof InputError) || !error.message.includes(path))
      throw new Error(`${damage()}: ${error}`, { cause: error })
    return 'refused'
  } finally {
    const milliseconds = performance.now() - before
    if (milliseconds > millisecondsMax) expect.fail(`${damage()}: took ${milliseconds} ms`)
  }
}

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function patched(bytes: Uint8Array, at: number, patch: readonly number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(patch.slice(0, bytes.length - at), at)
  return copy
}

describe.each([...smallSamples()])('a damaged file: %s', (_name, bytes) => {
  test('whole, it can be read', () => {
    expect(attempt(bytes, () => 'whole')).toBe('read')
  })

  test('cut off after any byte, it is refused', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(attempt(bytes.subarray(0, length), () => `cut off after ${length} bytes`)).toBe('refused')
    }
  })

  test('with any one byte missing, it is read or refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      const rest = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]))
      attempt(rest, () => `without byte ${at}`)
    }
  })

  test('with an absurd number at any place, it is read or refused, soon and without much memory', () => {
    const numbers = [
      [0xff, 0xff, 0xff, 0xff, 0x07],
      [0xfe, 0xff, 0xff, 0xff, 0x0f],
      [0x80, 0x80, 0x80, 0x80, 0x01],
      [0xff],
      [0x00],
    ]
    for (let at = 0; at < bytes.length; at++) {
      for (const number of numbers) attempt(patched(bytes, at, number), () => `${number} at byte ${at}`)
    }
  })

  test('with flipped bits anywhere, it is read or refused', () => {
    const seed = 20260724
    const random = randomOf(seed)
    for (let round = 0; round < 700; round++) {
      const copy = bytes.slice()
      const flips = Array.from(
        { length: 1 + Math.floor(random() * 3) },
        () => [Math.floor(random() * copy.length), 1 << Math.floor(random() * 8)] as const,
      )
      for (const [at, bit] of flips) copy[at]! ^= bit
      attempt(copy, () => `seed ${seed}, round ${round}, bits ${JSON.stringify(flips)}`)
    }
  })
})

test('all these files together took little memory', () => {
  expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(bytesMax)
})
