/** The history of a git repository, written by `npm run git-log`: its files today, and who changed how much when. */
import { date, defineJob, defineLog, defineView, int32, monthOf, nullable, string } from 'refold'

export const history = defineLog({
  name: 'history',
  files: 'data/generated/git/**/*.parquet',
  columns: {
    id: ['commit', 'path'],
    key: 'path',
    type: 'change',
    occurredAt: 'authored_at',
    recordedAt: 'committed_at',
    sequence: 'seq',
  },
  // Commits are dated by the clocks of those who made them; only the position in the history is to be trusted.
  sequenceScope: 'log',
  types: ['A', 'M', 'D', 'T', 'R100'],
  fields: {
    path: string(),
    oldPath: nullable(string('old_path')),
    mode: string(),
    blob: string(),
    author: string('author_hash'),
  },
})

interface File {
  mode: string | null
  blob: string | null
}

function write(file: File, mode: string | null, blob: string | null): void {
  file.mode = mode
  file.blob = blob
}

/** The files of the last commit, exactly as `git ls-tree -r` lists them. A rename is folded into both its paths. */
export const tree = defineView({
  name: 'tree',
  log: history,
  key: { path: string() },
  keyBy: (e) => (e.oldPath === null ? { path: e.path } : [{ path: e.oldPath }, { path: e.path }]),
  state: { mode: nullable(string()), blob: nullable(string()) },
  on: {
    A: (file, e) => write(file, e.mode, e.blob),
    M: (file, e) => write(file, e.mode, e.blob),
    T: (file, e) => write(file, e.mode, e.blob),
    D: (file) => write(file, null, null),
    R100: (file, e, key) => (key.path === e.path ? write(file, e.mode, e.blob) : write(file, null, null)),
  },
  columns: { mode: string(), blob: string() },
  row: ({ mode, blob }) => (mode === null || blob === null ? null : { mode, blob }),
})

/** How many files each author added, changed, moved and deleted in each month. */
export const activity = defineView({
  name: 'activity',
  log: history,
  key: { month: date(), author: string() },
  keyBy: (e) => ({ month: monthOf(e.occurredAt), author: e.author }),
  state: { added: int32(), changed: int32(), moved: int32(), deleted: int32() },
  on: {
    A: (month) => void month.added++,
    M: (month) => void month.changed++,
    T: (month) => void month.changed++,
    R100: (month) => void month.moved++,
    D: (month) => void month.deleted++,
  },
  merge: (into, from) => {
    into.added += from.added
    into.changed += from.changed
    into.moved += from.moved
    into.deleted += from.deleted
  },
})

export default defineJob({ views: [tree, activity] })
