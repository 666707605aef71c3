/**
 * Packs the project as it would be published, installs that in an empty folder as a user would, compiles a job against
 * its types and rebuilds a view with its command. Finds what a clone hides: files that are not in the package,
 * development packages that the code needs, declarations that lead to sources.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

const job = `import { bool, defineJob, defineLog, defineView, int64, RefoldError, string } from 'refold'

const ledger = defineLog({
  name: 'ledger',
  files: 'ledger/**/*.parquet',
  columns: { id: int64('event_id'), key: 'account_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  fields: { amount: int64(), branch: string() },
})

const balances = defineView({
  name: 'balances',
  log: ledger,
  state: { balance: int64(), open: bool() },
  on: {
    Deposited: (account, e) => {
      account.balance += e.amount
      account.open = e.branch !== ''
    },
    Withdrawn: (account, e) => {
      account.balance -= e.amount
    },
  },
})

// @ts-expect-error: the log declares no such field
defineView({ name: 'wrong', log: ledger, state: { n: int64() }, on: { Deposited: (s, e) => void (s.n += e.ammount) } })

export const isExpected = (error: unknown): boolean => error instanceof RefoldError
export default defineJob({ views: [balances] })
`

/** Its error is Refold's own only where the thread's Refold and the job's are the same. */
const refusingJob = `import { defineJob, defineView, InputError, int64 } from 'refold'
import job from './job.ts'

const refuse = () => {
  throw new InputError('no such branch')
}
const refusing = defineView({ name: 'refusing', log: job.views[0].log, state: { n: int64() }, on: { Deposited: refuse } })
export default defineJob({ views: [refusing] })
`

/** Reads what the command published. */
const program = `import { openView } from 'refold'

const view = await openView('views', 'balances')
const [account] = await view.get({ account_id: 'AC0000000001' })
console.log(account?.balance, view.columns.map(({ name }) => name).join())
view.close()
`

const compilerOptions = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  noEmit: true,
  types: [],
  // The package's own declarations are checked too.
  skipLibCheck: false,
}

const folder = mkdtempSync(join(tmpdir(), 'refold-package-'))
try {
  const project = join(folder, 'project')
  mkdirSync(project)
  run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack left no package.')
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['job.ts', 'program.ts'] }))
  writeFileSync(join(project, 'job.ts'), job)
  writeFileSync(join(project, 'program.ts'), program)
  const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--silent']
  run('npm', ['install', ...quick, join(folder, tarball)], project)
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], project)
  const command = join(project, 'node_modules/refold/bin/refold.js')
  expectOutput(command, ['--version'], `${version}\n`)
  expectOutput(command, ['--help'], 'refold <verb>')
  cpSync(join(root, 'data/small-ledger'), join(project, 'ledger'), { recursive: true })
  expectOutput(command, ['rebuild', 'job.ts', '--workers', '1', '--json'], '"outcome": "published"', project)
  expectOutput(command, ['rebuild', 'job.ts', '--workers', '0', '--json'], '"outcome": "unchanged"', project)
  // Threads load a bundle of their own, and spilling a part of it.
  const onThreads = ['--workers', '2', '--memory', '1MB', '--out', 'views-on-threads', '--json']
  expectOutput(command, ['rebuild', 'job.ts', ...onThreads], '"outcome": "published"', project)
  writeFileSync(join(project, 'refusing.ts'), refusingJob)
  expectRefusal(command, ['rebuild', 'refusing.ts', ...onThreads], ': no such branch', project)
  expectOutput(command, ['show', 'balances', '--format', 'csv', '--limit', '1'], 'account_id,balance,open', project)
  expectOutput('program.ts', [], ' account_id,balance,open', project)
  run(process.execPath, ['--input-type=module', '--eval', "await import('refold')"], project)
  console.log(`${tarball} installs, compiles and runs`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function expectOutput(command: string, parameters: string[], expected: string, cwd: string = root): void {
  const output = run(process.execPath, [command, ...parameters], cwd)
  if (!output.includes(expected)) {
    throw new Error(`refold ${parameters.join(' ')}: expected ${JSON.stringify(expected)}, found ${output}`)
  }
}

function expectRefusal(command: string, parameters: string[], expected: string, cwd: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...parameters], { cwd, encoding: 'utf8' })
  if (status !== 0 && (stdout + stderr).includes(expected) && !(stdout + stderr).includes('InputError')) return
  throw new Error(`refold ${parameters.join(' ')}: expected ${JSON.stringify(expected)}, found ${stdout}${stderr}`)
}

function run(command: string, parameters: string[], cwd: string): string {
  const result = spawnSync(command, parameters, { cwd, encoding: 'utf8' })
  if (result.error !== undefined) throw result.error
  if (result.status === 0) return result.stdout
  throw new Error(`${command} ${parameters.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`)
}
