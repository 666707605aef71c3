import { createHash } from 'node:crypto'
import { RefoldError } from '../../src/model/errors.ts'
import { pathText, runGit, splitAtNul } from './git.ts'

/** One file that one commit touched, compared with the commit's first parent. */
export interface FileEvent {
  /** Position in the history, from 0: commits from the oldest to the newest, files as git lists them. */
  seq: number
  commit: string
  /** Milliseconds since 1970, UTC. */
  authored_at: number
  committed_at: number
  /** First 12 digits of the SHA-256 of the author's address: distinguishes authors and names none. */
  author_hash: string
  is_merge: boolean
  /** A added, M modified, D deleted, T type changed, R100 renamed without a change. */
  change: string
  /** As git writes it: 100644 file, 100755 executable, 120000 symbolic link, 160000 submodule, 000000 deleted. */
  mode: string
  blob: string
  path: string
  old_path: string | null
}

type Commit = Pick<FileEvent, 'commit' | 'authored_at' | 'committed_at' | 'author_hash' | 'is_merge'>

/**
 * What a user's git configuration could change about the output is said explicitly: merges against the first parent,
 * all submodules, the whole tree, git's own order of files. `git.ts` adds the root commit as additions.
 */
const logArguments = [
  ...['log', '--first-parent', '--diff-merges=first-parent', '--reverse'],
  ...['--raw', '-z', '--no-abbrev', '-M100%', '--no-relative', '--ignore-submodules=none', '-O/dev/null'],
  ...['--no-show-signature', '--no-color', '--no-notes', '--format=commit %H %at %ct %ae%x00%P'],
]

/** The file events of a commit and of all its first-parent ancestors, oldest first. `onCommit` is called for each. */
export async function* readHistory(repo: string, head: string, onCommit: () => void): AsyncGenerator<FileEvent> {
  const parts = splitAtNul(runGit(repo, [...logArguments, head, '--']))
  const next = async () => (await parts.next()).value ?? Buffer.alloc(0)
  let commit: Commit | undefined
  let seq = 0
  for await (const part of parts) {
    // Git sets a line end between a commit and its first file.
    const text = part.toString('latin1').replace(/^\n/, '')
    if (text.startsWith('commit ')) {
      commit = commitOf(part, (await next()).toString('latin1'))
      onCommit()
    } else if (text.startsWith(':') && commit !== undefined) {
      const change = changeOf(text, commit.commit)
      const path = pathText(await next())
      const renamed = change.change === 'R100'
      yield {
        seq,
        ...commit,
        ...change,
        path: renamed ? pathText(await next()) : path,
        old_path: renamed ? path : null,
      }
      seq++
    } else if (text !== '') {
      throw new RefoldError(`Cannot read the history of ${repo}: expected a commit or a file, found "${text}".`)
    }
  }
}

function commitOf(header: Buffer, parents: string): Commit {
  const [, commit = '', authored, committed] = header.toString('latin1').split(' ', 4)
  // The address is the rest of the line, as bytes: it may hold spaces and need not be UTF-8.
  const address = header.subarray(`commit ${commit} ${authored} ${committed} `.length)
  return {
    commit,
    authored_at: Number(authored) * 1000,
    committed_at: Number(committed) * 1000,
    author_hash: createHash('sha256').update(address).digest('hex').slice(0, 12),
    is_merge: parents.includes(' '),
  }
}

/** `:<old mode> <new mode> <old blob> <new blob> <status>` */
function changeOf(line: string, commit: string): Pick<FileEvent, 'change' | 'mode' | 'blob'> {
  const [, mode = '', , blob = '', change = ''] = line.split(' ')
  if (!['A', 'M', 'D', 'T', 'R100'].includes(change)) {
    throw new RefoldError(`Cannot read commit ${commit}: expected a change A, M, D, T or R100, found "${line}".`)
  }
  return { change, mode, blob }
}
