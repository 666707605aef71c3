import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCurrent, listGenerations } from '../../src/storage/generations.ts'
import { build, readAllWhole, readWhole } from '../support/sample-generations.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'refold-crash-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

test('a process that publishes and is killed at any moment leaves whole generations, and a reader never sees less', async () => {
  const seen = new Set<string>()
  for (let round = 0; round < 12; round++) {
    const publisher = fileURLToPath(new URL('publisher.ts', import.meta.url))
    const child = spawn(process.execPath, [publisher, out, String(round * 1000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const killAt = performance.now() + Math.random() * 60
    while (performance.now() < killAt) {
      const current = findCurrent(out, 'balances')!
      seen.add(readWhole(out, 'balances', current.generation))
      await setTimeout(0)
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(findCurrent(out, 'balances')).toBeDefined()
    expect(readAllWhole(out, 'balances').size).toBe(listGenerations(out, 'balances').length)
  }
  expect(seen.size).toBeGreaterThan(5)
  const built = build(out, 'balances', 'the last')
  expect(findCurrent(out, 'balances')!.generation).toBe(built.generation)
  expect(readdirSync(join(out, 'balances')).filter((name) => /^_(staging|current)-/.test(name))).toEqual([])
})
