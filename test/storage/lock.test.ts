import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { disk } from '../../src/storage/disk.ts'
import { takeLock } from '../../src/storage/lock.ts'
import { identityOfThisProcess } from '../../src/storage/process-identity.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-lock-'))
  path = join(folder, '_notifying-x')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const take = () => takeLock(path, 'deliver to file:/a', disk)
const heldBy = (host: string, process: number) => writeFileSync(path, JSON.stringify({ host, process }))
/** Above what a system gives out. */
const noProcess = 2 ** 30

test('takeLock() gives a lock to one process at a time, and names the one that has it', () => {
  const release = take()
  expect(take).toThrow(
    `Cannot deliver to file:/a: expected that no other process does so, found ${path}, held by process ${process.pid} on ${hostname()}.`,
  )
  release()
  expect(readdirSync(folder)).toEqual([])
  take()()
})

test('takeLock() takes over what a process of this host left behind when it was killed', () => {
  heldBy(hostname(), noProcess)
  const release = take()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ host: hostname(), process: process.pid })
  expect(readdirSync(folder)).toEqual(['_notifying-x'])
  release()
  expect(readdirSync(folder)).toEqual([])
})

test('takeLock() takes nothing over from another host, or from a process that it does not know', () => {
  heldBy(`${hostname()}-other`, noProcess)
  expect(take).toThrow(`held by process ${noProcess} on ${hostname()}-other`)
  for (const text of ['', '{', 'null', '{"host":5}']) {
    writeFileSync(path, text)
    expect(take).toThrow('held by a process that it does not name')
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
})

test('takeLock() takes over what a process of the same number left before this one began', () => {
  const own = identityOfThisProcess()
  writeFileSync(path, JSON.stringify({ ...own, started: '1', nonce: 'x' }))
  take()()
  expect(readdirSync(folder)).toEqual([])
  // Written by a version that did not say when it began.
  heldBy(hostname(), process.pid)
  expect(take).toThrow(`held by process ${process.pid} on ${hostname()}. Wait`)
})

test('a lock that someone removed and another process took is not given back', () => {
  const release = take()
  rmSync(path)
  const other = take()
  release()
  expect(take).toThrow(`held by process ${process.pid}`)
  other()
  expect(readdirSync(folder)).toEqual([])
})

test('takeLock() gives a lock back that another process took over in between', () => {
  heldBy(hostname(), noProcess)
  const other = JSON.stringify({ host: hostname(), process: process.pid })
  let reads = 0
  const files = {
    ...disk,
    readText(name: string) {
      const text = disk.readText(name)
      if (reads++ === 0) writeFileSync(path, other)
      return text
    },
  }
  expect(() => takeLock(path, 'deliver', files)).toThrow(`held by process ${process.pid}`)
  expect(readFileSync(path, 'utf8')).toBe(other)
  expect(readdirSync(folder)).toEqual(['_notifying-x'])
})
