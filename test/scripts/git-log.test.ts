import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tree } from '../../jobs/git-history.ts'
import { readTree, type TreeEntry, writeGitLog } from '../../scripts/git-log.ts'
import { foldNaively, type PlainEvent } from '../oracle/naive.ts'

const folder = mkdtempSync(join(tmpdir(), 'refold-git-log-'))
const repo = join(folder, 'repo')
const awkward = [
  'with space.txt',
  'zürich/日本語.md',
  'line\nbreak.txt',
  'tab\there.txt',
  '"quoted".txt',
  ':colon',
  'commit x',
]

/** Without the settings of the machine, or of a git that runs these tests in a hook. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  return { ...own, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
}

function git(...arguments_: string[]): string {
  const settings = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...settings, ...arguments_], {
    cwd: existsSync(repo) ? repo : folder,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trimEnd()
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(repo, path)), { recursive: true })
  writeFileSync(join(repo, path), content)
}

function commit(message: string): string {
  git('add', '--all')
  git('commit', '--quiet', '--allow-empty', '--message', message)
  return git('rev-parse', 'HEAD')
}

async function readLog(out: string): Promise<PlainEvent[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const rows = await connection.runAndReadAll(`select * from '${out}/events.parquet' order by seq`)
  return rows.getRowObjectsJS().map((row) => ({
    ...row,
    id: `${row.commit} ${row.path}`,
    type: String(row.change),
    oldPath: row.old_path,
    sequence: Number(row.seq),
  }))
}

function foldTree(events: readonly PlainEvent[]): Map<string, TreeEntry> {
  const { rows } = foldNaively(tree, events)
  return new Map(rows.map(({ path, mode, blob }) => [String(path), { mode, blob } as TreeEntry]))
}

const byPath = (entries: Map<string, TreeEntry>) =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))

const commits: string[] = []

/** A history of everything git can do to a file: each commit is compared with the tree git itself lists. */
function buildRepository(): void {
  git('init', '--quiet', 'repo')
  write('README.md', 'one\n')
  write('src/a.ts', 'export const a = 1\n')
  for (const path of awkward) write(path, `content of ${JSON.stringify(path)}\n`)
  commits.push(commit('the root commit adds files'))
  commits.push(commit('nothing'))
  mkdirSync(join(repo, 'lib'))
  renameSync(join(repo, 'src/a.ts'), join(repo, 'lib/b.ts'))
  renameSync(join(repo, 'zürich/日本語.md'), join(repo, 'zürich/中文.md'))
  commits.push(commit('renames'))
  write('src/a.ts', 'another file of the old name\n')
  commits.push(commit('a new file at an old path'))
  chmodSync(join(repo, 'lib/b.ts'), 0o755)
  symlinkSync('README.md', join(repo, 'link'))
  rmSync(join(repo, 'with space.txt'))
  commits.push(commit('a mode, a symbolic link, a deletion'))
  rmSync(join(repo, 'link'))
  write('link', 'a file now\n')
  rmSync(join(repo, 'src'), { recursive: true })
  write('src', 'a file where a folder was\n')
  commits.push(commit('a type change, a folder becomes a file'))
  git('update-index', '--add', '--cacheinfo', `160000,${commits[0]},vendor/submodule`)
  git('commit', '--quiet', '--message', 'a submodule')
  commits.push(git('rev-parse', 'HEAD'))
  git('checkout', '--quiet', '-b', 'side', commits[3]!)
  write('side.txt', 'first\n')
  commit('on the side')
  write('side.txt', 'second\n')
  commit('on the side again')
  git('checkout', '--quiet', 'main')
  git('merge', '--quiet', '--no-ff', '--message', 'a merge', 'side')
  commits.push(git('rev-parse', 'HEAD'))
  const blob = git('rev-parse', 'HEAD:README.md')
  const entry = Buffer.concat([Buffer.from(`100644 ${blob}\tcaf`), Buffer.of(0xe9), Buffer.from('.txt\n')])
  execFileSync('git', ['update-index', '--add', '--index-info'], { cwd: repo, env: environment(), input: entry })
  git('commit', '--quiet', '--message', 'a path in Latin-1')
  commits.push(git('rev-parse', 'HEAD'))
}

beforeAll(buildRepository)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('writeGitLog()', () => {
  it('writes a log whose fold is the tree that git lists, at every commit of the history', async () => {
    const out = join(folder, 'log')
    const report = await writeGitLog({ repo, out })
    const events = await readLog(out)
    expect(report).toMatchObject({
      commits: commits.length,
      events: events.length,
      head: commits.at(-1),
      shallow: false,
    })
    for (const [index, commit] of commits.entries()) {
      const known = events.filter((event) => commits.indexOf(String(event.commit)) <= index)
      expect(byPath(foldTree(known)), `commit ${index}`).toEqual(byPath(await readTree(repo, commit)))
    }
  })

  it('shows renames, type changes and submodules as what they are, and a merge as what it brought', async () => {
    const events = await readLog(join(folder, 'log'))
    const seen = (path: string) =>
      events
        .filter((event) => event.path === path)
        .map(({ type, mode, old_path, is_merge }) => [type, mode, old_path, is_merge])
    expect(seen('lib/b.ts')).toEqual([
      ['R100', '100644', 'src/a.ts', false],
      ['M', '100755', null, false],
    ])
    expect(seen('link')).toEqual([
      ['A', '120000', null, false],
      ['T', '100644', null, false],
    ])
    expect(seen('vendor/submodule')).toEqual([['A', '160000', null, false]])
    expect(seen('side.txt')).toEqual([['A', '100644', null, true]])
    expect(seen('with space.txt').at(-1)).toEqual(['D', '000000', null, false])
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index))
  })

  it('keeps every path as it is, and quotes those that are not UTF-8 or look quoted', async () => {
    const paths = new Set((await readLog(join(folder, 'log'))).map((event) => event.path))
    for (const path of awkward.filter((name) => !name.startsWith('"'))) expect(paths).toContain(path)
    expect(paths).toContain(String.raw`"\"quoted\".txt"`)
    expect(paths).toContain(String.raw`"caf\351.txt"`)
  })

  it('refuses to overwrite a log unless it is told to', async () => {
    const out = join(folder, 'log')
    await expect(writeGitLog({ repo, out })).rejects.toThrow('it exists already. Pass --force to replace it.')
    await expect(writeGitLog({ repo, out, force: true })).resolves.toMatchObject({ commits: commits.length })
  })

  it('says that a clone is shallow, and its log still folds to the tree', async () => {
    const clone = join(folder, 'clone')
    git('clone', '--quiet', '--no-checkout', '--depth', '1', `file://${repo}`, clone)
    const out = join(folder, 'shallow')
    const report = await writeGitLog({ repo: clone, out })
    expect(report).toMatchObject({ commits: 1, shallow: true, head: commits.at(-1) })
    expect(byPath(foldTree(await readLog(out)))).toEqual(byPath(await readTree(repo, report.head)))
  })

  it('says where it looked when there is no repository, or no commit in it', async () => {
    await expect(writeGitLog({ repo: folder, out: join(folder, 'x') })).rejects.toThrow('not a git repository')
    git('init', '--quiet', join(folder, 'empty'))
    const empty = { repo: join(folder, 'empty'), out: join(folder, 'x') }
    await expect(writeGitLog(empty)).rejects.toThrow('expected a commit, found none')
  })
})
