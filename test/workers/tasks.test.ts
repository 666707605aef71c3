import { copyFileSync, readdirSync, readlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRows, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('tasks')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

describe.each([[0], [1]])('with %i workers', (workers) => {
  const path = () => join(home, 'log/0.parquet')
  const other = () => join(home, 'other.parquet')

  async function expectRefused(found: string, change: () => void): Promise<void> {
    writeRows(path(), ledgerColumns, ledgerRows(1, 2))
    const error = await refusal(writeJob(home), home, {
      workers,
      onProgress: ({ stage }) => {
        if (stage === 'identify') change()
      },
    })
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toMatch(
      /^Cannot read log\/0\.parquet: the file changed while it was read: expected \d+ bytes with the footer that was there at first, found /,
    )
    expect(error.message).toContain(`, found ${found}. Rebuild again when nothing writes to the log's files.`)
    expect(error.place.file).toMatch(/log\/0\.parquet$/)
  }

  test('a file that is replaced after it was planned is refused', () => {
    writeRows(other(), ledgerColumns, ledgerRows(3, 4))
    return expectRefused('another footer', () => copyFileSync(other(), path()))
  })

  test('a file that becomes shorter after it was planned is refused', () =>
    expectRefused('8 bytes', () => truncateSync(path(), 8)))
})

/** Files below `home` that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`)
      return path.startsWith(home) ? [path] : []
    } catch {
      return []
    }
  })
}

// Only Linux tells a process of its open files.
describe.skipIf(process.platform !== 'linux')('a rebuild without threads leaves no file open', () => {
  const rows = ledgerRows(...Array.from({ length: 5000 }, (_, index) => index))
  const options = { workers: 0, memoryBytes: 1 }

  test('where it publishes', async () => {
    writeRows(join(home, 'log/0.parquet'), ledgerColumns, rows)
    await run(writeJob(home), home, options)
    expect(openFiles()).toEqual([])
  })

  test('where it fails in the midst of mapping, with events spilled', async () => {
    writeRows(join(home, 'log/0.parquet'), ledgerColumns, rows)
    writeRows(join(home, 'log/1.parquet'), ledgerColumns, ledgerRows(6000))
    const view = `state: { balance: int64() }, key: { id: string() }, keyBy: (e) => { if (e.id === 'e6000') throw new Error('no'); return { id: e.id } }, on: { '*': () => {} }`
    const error = await refusal(writeJob(home, { view }), home, options)
    expect(error.message).toContain('no')
    expect(openFiles()).toEqual([])
  })
})
