import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'refold-readme-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("README's job is the one in jobs/", () => {
  const code = /```ts\n\/\/ jobs\/accounts\.ts\n(.*?)```/s.exec(readme)?.[1]
  expect(code).toBe(readFileSync(join(root, 'jobs/accounts.ts'), 'utf8'))
})

test("README's commands and program print what it says, but for the times", () => {
  cpSync(join(root, 'jobs'), join(folder, 'jobs'), { recursive: true })
  for (const data of ['data/small-ledger', 'data/taiwan-backlog'])
    cpSync(join(root, data), join(folder, data), { recursive: true })
  const examples = [...readme.matchAll(/```console\n\$ npx refold (.*?)\n(.*?)```/gs)]
  expect(examples.length).toBeGreaterThan(2)
  for (const [, command, shown] of examples) {
    const { stdout, status } = spawnSync(process.execPath, [join(root, 'bin/refold.js'), ...command!.split(' ')], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(withoutTimes(stdout)).toBe(withoutTimes(shown!))
  }
  // The program reads what the commands built.
  expect(runProgram(/```ts\n\/\/ corrections\.ts\n(.*?)```/s.exec(readme)![1]!)).toBe(
    /```console\n\$ node corrections\.ts\n(.*?)```/s.exec(readme)![1],
  )
})

function runProgram(code: string): string {
  const door = pathToFileURL(join(root, 'src/index.ts')).href
  writeFileSync(join(folder, 'corrections.ts'), code.replace("'refold'", JSON.stringify(door)))
  return spawnSync(process.execPath, ['corrections.ts'], { cwd: folder, encoding: 'utf8' }).stdout
}

function withoutTimes(text: string): string {
  return text.replace(/^([\d,]+ events) in .*$/m, '$1')
}
