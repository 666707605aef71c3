import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { defineJob, defineLog, defineView, loadDefinition, rebuild, string } from 'refold'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scratch, writeRows } from '../support/logs.ts'
import { command, refold, repositoryRoot } from '../support/refold.ts'

const folder = scratch('output')
const out = join(folder.path, 'views')
afterAll(() => folder.remove())

beforeAll(async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ id: `${i}`, text: `${i}`.padStart(200, 'x') }))
  writeRows(join(folder.path, 'log.parquet'), { id: string(), text: string() }, rows)
  const log = defineLog({
    name: 'events',
    files: join(folder.path, 'log.parquet'),
    columns: { id: 'id', key: 'id' },
    fields: { text: string() },
  })
  const view = defineView({
    name: 'texts',
    log,
    orderFree: true,
    state: { text: string() },
    on: {
      '*': (state, e) => {
        state.text = e.text
      },
    },
  })
  await rebuild(await loadDefinition(defineJob({ views: [view] })), { out, workers: 0 })
})

/** Runs the command with a reader that takes a while for each piece of its output. */
async function readSlowly(...parameters: readonly string[]) {
  const child = spawn(process.execPath, [command, ...parameters], { cwd: repositoryRoot })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  let bytes = 0
  for await (const chunk of child.stdout) {
    bytes += (chunk as Buffer).length
    await setTimeout(10)
  }
  return { exitCode: await ended, stderr, bytes }
}

describe('a reader', () => {
  test.each(['ndjson', 'csv', 'arrow'])('that is slow gets everything, and no warning, as %s', async (format) => {
    const { exitCode, stderr, bytes } = await readSlowly('show', 'texts', '--out', out, '--format', format)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(bytes).toBeGreaterThan(4e6)
  })

  test.each([
    ['show texts --format ndjson', 'head -n 1', 1],
    ['show texts --format csv', 'head -n 2', 2],
    ['show texts --format csv', 'true', 0],
    ['show texts --limit 20000', 'head -n 3', 3],
    ['history --json', 'true', 0],
  ])('of refold %s that stops early, as %s, is no error', (parameters, reader, lines) => {
    const script = `set -o pipefail; '${process.execPath}' '${command}' ${parameters} --out '${out}' | ${reader}`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: repositoryRoot, encoding: 'utf8' })
    expect({ status, stderr: stderr.replace(/^.* more rows.*\n/, '') }).toEqual({ status: 0, stderr: '' })
    expect(stdout.split('\n').length - 1).toBe(lines)
  })

  test('that can not be written to is an error', () => {
    const script = `'${process.execPath}' '${command}' show texts --format csv --out '${out}' > /dev/full`
    const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: repositoryRoot, encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^refold: Cannot write the result: .*ENOSPC/)
  })
})

describe('--quiet', () => {
  const job = 'jobs/taiwan-backlog.ts'
  const views = ['--out', join(folder.path, 'taiwan')]
  const file = join(folder.path, 'notices.jsonl')

  test('leaves nothing on stderr, whatever the verb', () => {
    mkdirSync(folder.path, { recursive: true })
    for (const parameters of [
      ['plan', job, ...views],
      ['rebuild', job, '--known-at', '2021-05-24', '--max-exceptions', '1000', ...views],
      ['rebuild', job, '--known-at', '2021-05-25', '--max-exceptions', '1000', '--vintages', 'day', ...views],
      ['show', 'daily-cases', '--limit', '1', ...views],
      ['show', 'daily-cases', '--tier', 'live', ...views],
      ['show', 'daily-cases', '--known-at', '2021-05-23', ...views],
      ['get', 'daily-cases', '2021-05-17', ...views],
      ['get', 'daily-cases', '2021-05-17', '--tier', 'final', ...views],
      ['trace', 'daily-cases', '2021-05-17', '--limit', '1', ...views],
      ['trace', 'daily-cases', '1999-01-01', ...views],
      ['triangle', 'daily-cases', '--limit', '2', ...views],
      ['diff', 'daily-cases', '--limit', '1', ...views],
      ['corrections', 'daily-cases', '--limit', '1', ...views],
      ['corrections', 'daily-cases', '--generation', '1', ...views],
      ['notify', 'daily-cases', '--file', file, ...views],
      ['notify', 'daily-cases', '--command', 'echo taken', ...views],
      ['history', ...views],
      ['history', '--out', join(folder.path, 'none')],
      ['inspect', 'data/taiwan-backlog'],
      ['inspect', job, '--lateness'],
    ]) {
      const { exitCode, stderr } = refold([...parameters, '--quiet'])
      expect({ parameters, stderr }).toEqual({ parameters, stderr: '' })
      // 1 where there is no such row.
      expect(exitCode, parameters.join(' ')).toBeLessThan(2)
    }
  })

  test('still has errors, and what explains an exit code or is damaged', () => {
    const failed = refold(['show', 'none', '--quiet', ...views])
    expect(failed.exitCode).toBe(2)
    expect(failed.stderr).toContain('it was never built there')
    expect(refold(['show', '--quiet', '--nonsense']).stderr).not.toBe('')
    writeFileSync(join(out, 'texts/_current.json'), '')
    const damaged = refold(['history', '--quiet', '--out', out])
    expect(damaged.stderr).toContain('an empty file')
  })
})
