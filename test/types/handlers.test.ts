import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../support/refold.ts'

const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc')
const folder = join(repositoryRoot, 'test/types')

test('handlers, keys and rows are typed by the definitions, and what is wrong does not compile', () => {
  const text = readFileSync(join(folder, 'handlers.ts'), 'utf8')
  expect(text.match(/@ts-expect-error:/g)!.length).toBeGreaterThan(25)
  const { stdout, status } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
