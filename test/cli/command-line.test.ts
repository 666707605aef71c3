import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { command, refold, repositoryRoot } from '../support/refold.ts'

const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }

function importing(code: string): string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

describe('refold', () => {
  test('--version prints the version and loads two files for it', () => {
    const listLoaded = `import { registerHooks } from 'node:module'
      registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`
    const { exitCode, stdout, stderr } = refold(['--version'], { nodeOptions: importing(listLoaded) })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${version}\n` })
    const files = stderr.split('\n').filter((url) => url.startsWith('file:'))
    expect(files.map((url) => url.slice(url.lastIndexOf('/') + 1))).toEqual(['refold.js', 'main.ts'])
  })

  test('--help names every verb, on stdout', () => {
    const { exitCode, stdout, stderr } = refold(['--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const verb of Object.keys(verbs)) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'))
    expect(refold(['help']).stdout).toBe(stdout)
  })

  test('without a verb prints the help on stderr and ends with 2', () => {
    const { exitCode, stdout, stderr } = refold([])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('Usage: refold <verb>')
  })

  test.each(Object.keys(verbs))('%s --help has examples and fits 100 characters', async (name) => {
    const { exitCode, stdout } = refold([name, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Examples:\n  refold ${name}`)
    expect(stdout).toContain('-h, --help')
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100)
    expect(refold(['help', name]).stdout).toBe(stdout)
  })

  test.each([
    [['rebuid', 'x'], 'there is no verb rebuid; did you mean rebuild? See refold --help.'],
    [['frobnicate'], 'there is no verb frobnicate. See refold --help.'],
    [['toString'], 'there is no verb toString. See refold --help.'],
    [['--json', 'rebuild'], 'expected a verb first, found --json. See refold --help.'],
    [
      ['rebuild', 'x', '--wrokers', '3'],
      'there is no option --wrokers; did you mean --workers? See refold rebuild --help.',
    ],
    [['rebuild', 'x', '-z'], 'there is no option -z. See refold rebuild --help.'],
    [['rebuild', 'x', '--no-json'], 'there is no option --no-json. See refold rebuild --help.'],
    [['rebuild'], 'expected <job>, found nothing: The job file, as jobs/ledger.ts. See refold rebuild --help.'],
    [['rebuild', 'a', 'b'], 'expected no more after a, found b. See refold rebuild --help.'],
    [['rebuild', 'a', '--out'], 'expected a value after --out, found nothing. See refold rebuild --help.'],
    [['rebuild', 'a', '--out='], 'expected a value after --out, found nothing.'],
    [['rebuild', 'a', '--view='], 'expected a value after --view, found nothing. See refold rebuild --help.'],
    [['rebuild', 'a', '--view', 'b', '--view', ''], 'expected a value after --view, found nothing.'],
    [['rebuild', 'a', '--out', 'x', '--out', 'y'], 'expected --out once, found x and y.'],
    [
      ['rebuild', 'a', '--input', 'x/*.parquet'],
      '--input: expected a log and its files as ledger=data/2026/*.parquet, found "x/*.parquet".',
    ],
    [['rebuild', 'a', '--workers', '-1'], '--workers: expected a whole number from 0 to 256, found -1.'],
    [['rebuild', 'a', '--workers', '1.5'], '--workers: expected a whole number from 0 to 256, found 1.5.'],
  ])('%j is wrong usage', (parameters, message) => {
    expect(refold(parameters)).toEqual({ exitCode: 2, stdout: '', stderr: `refold: ${message}\n` })
  })

  test('says so on a Node that is too old', () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } })"
    const { exitCode, stderr } = refold(['--version'], { nodeOptions: importing(pretend) })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'refold: needs Node.js 22.18 or newer, found 20.11.1.\n',
    })
  })

  test('is quiet when the reader of its output goes away', () => {
    const script = `"${process.execPath}" "${command}" --help | true`
    const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${script}`], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
