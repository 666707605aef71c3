/**
 * Turns the history of a git repository into a log: one event for each file that a commit of the first-parent history
 * added, changed, deleted or renamed. Folding the log gives the repository's tree at any commit.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bool, ConfigurationError, int64, nullable, OutputError, RefoldError, string, timestamp } from '../src/index.ts'
import { openAppender } from '../src/parquet/append.ts'
import { disk } from '../src/storage/disk.ts'
import { askGit } from './git-log/git.ts'
import { readHistory } from './git-log/history.ts'

export { readTree, type TreeEntry } from './git-log/tree.ts'

export interface GitLogOptions {
  /** Folder of the repository, bare or not. */
  readonly repo: string
  /** Folder for the log; made where it isn't there. */
  readonly out: string
  /** Replace the log that `out` holds already. Default false. */
  readonly force?: boolean
}

export interface GitLogReport {
  readonly events: number
  readonly commits: number
  /** The newest commit. */
  readonly head: string
  /** The clone's history is cut: its oldest commit is shown as if it had added every file it holds. */
  readonly shallow: boolean
  readonly path: string
}

const columns = Object.entries({
  seq: int64(),
  commit: string(),
  authored_at: timestamp('ms'),
  committed_at: timestamp('ms'),
  author_hash: string(),
  is_merge: bool(),
  change: string(),
  mode: string(),
  blob: string(),
  path: string(),
  old_path: nullable(string()),
}).map(([name, type]) => ({ name, type }))

/**
 * Writes the first-parent history of HEAD as `<out>/events.parquet`. The file appears whole or not at all.
 *
 * @throws ConfigurationError where the repository has no commit or `out` holds a log and `force` is not set.
 */
export async function writeGitLog({ repo, out, force = false }: GitLogOptions): Promise<GitLogReport> {
  const path = join(out, 'events.parquet')
  if (existsSync(path) && !force) {
    throw new ConfigurationError(`Cannot write ${path}: it exists already. Pass --force to replace it.`)
  }
  const head = await headOf(repo)
  const shallow = (await askGit(repo, 'rev-parse', '--is-shallow-repository')) === 'true'
  mkdirSync(out, { recursive: true })
  const unfinished = `${path}.unfinished`
  rmSync(unfinished, { force: true })
  const appender = await openAppender(unfinished, columns, disk)
  let events = 0
  let commits = 0
  for await (const event of readHistory(repo, head, () => commits++)) {
    await appender.append({ ...event })
    events++
  }
  const { rows } = await appender.close()
  if (rows !== events) throw new OutputError(`Cannot write ${path}: expected ${events} rows, found ${rows} written.`)
  renameSync(unfinished, path)
  return { events, commits, head, shallow, path }
}

async function headOf(repo: string): Promise<string> {
  await askGit(repo, 'rev-parse', '--git-dir')
  const head = await askGit(repo, 'rev-parse', '--verify', '--quiet', 'HEAD').catch(() => undefined)
  if (head !== undefined) return head
  throw new ConfigurationError(`Cannot read the history of ${repo}: expected a commit, found none.`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      repo: { type: 'string', default: '.' },
      out: { type: 'string', default: 'data/generated/git' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log('node scripts/git-log.ts [--repo .] [--out data/generated/git] [--force]')
  const { events, commits, head, shallow, path } = await writeGitLog(values)
  console.log(`${events} events of ${commits} commits up to ${head.slice(0, 12)} in ${path}`)
  if (shallow) console.log('The clone is shallow: older history is missing. "git fetch --unshallow" brings it.')
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    const isExpected = isUsage || error instanceof RefoldError
    if (!isExpected) throw error
    console.error(error.message)
    process.exitCode = error instanceof RefoldError ? error.exitCode : 2
  })
}
