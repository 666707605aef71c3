import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bool, int64, nullable, string, timestamp } from '../../src/index.ts'
import { readCsv, realData, rebuildIn, skipReason, temporaryFolder, writeLog } from '../support/real-data.ts'

const fields = {
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
}

function eventOf(row: Record<string, string>) {
  return {
    ...row,
    seq: Number(row.seq),
    authored_at: Date.parse(row.authored_at!),
    committed_at: Date.parse(row.committed_at!),
    is_merge: row.is_merge === '1',
    old_path: row.old_path === '' ? null : row.old_path,
  }
}

/** `HEAD`, or the first digits of a commit, of each tree that a repository's folder holds. */
function revisionsIn(folder: string): string[] {
  const names = readdirSync(folder).map((name) => /^expected_tree_(?:asof_)?(\w+)\.csv\.gz$/.exec(name)?.[1])
  return names.filter((name) => name !== undefined)
}

const byPath = (a: { path?: unknown }, b: { path?: unknown }) => (String(a.path) < String(b.path) ? -1 : 1)

describe.each(['git_emmett', 'git_mrjob'])('the history of %s', (name) => {
  const data = realData(name)
  let temporary: ReturnType<typeof temporaryFolder> | undefined
  afterAll(() => temporary?.remove())

  it.skipIf(data === undefined)(
    `folds to the tree git lists, at the end and at three commits${skipReason(name)}`,
    async () => {
      temporary = temporaryFolder(name)
      const rows = readCsv(join(data!, 'events.csv.gz'))
      const revisions = revisionsIn(data!)
      expect(revisions).toHaveLength(4)
      for (const revision of revisions) {
        const suffix = revision === 'HEAD' ? 'HEAD' : `asof_${revision}`
        const last =
          revision === 'HEAD' ? rows.length - 1 : rows.findLastIndex((row) => row.commit!.startsWith(revision))
        const folder = join(temporary.path, revision)
        const events = rows.slice(0, last + 1).map(eventOf)
        await writeLog(join(folder, 'data/generated/git/events.parquet'), fields, events)
        const { report, rowsOf } = await rebuildIn(folder, 'jobs/git-history.ts', {
          workers: revision === 'HEAD' ? 2 : 0,
        })
        const expected = readCsv(join(data!, `expected_tree_${suffix}.csv.gz`)).sort(byPath)
        expect(rowsOf('tree').sort(byPath), revision).toEqual(expected)
        expect(report.views[0]!.counters).toMatchObject({ read: events.length, applied: events.length })
      }
    },
  )
})
