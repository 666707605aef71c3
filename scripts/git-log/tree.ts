import { RefoldError } from '../../src/model/errors.ts'
import { pathText, runGit, splitAtNul } from './git.ts'

export interface TreeEntry {
  readonly mode: string
  readonly blob: string
}

/** All files of a commit, by path, as git itself lists them: what folding the log up to that commit must give. */
export async function readTree(repo: string, commit: string): Promise<Map<string, TreeEntry>> {
  const tree = new Map<string, TreeEntry>()
  for await (const part of splitAtNul(runGit(repo, ['ls-tree', '-r', '-z', '--full-tree', commit]))) {
    // `<mode> <blob or commit> <id>\t<path>`
    const tab = part.indexOf(0x09)
    const [mode, , blob] = part.subarray(0, tab).toString('latin1').split(' ')
    if (tab === -1 || mode === undefined || blob === undefined) {
      throw new RefoldError(
        `Cannot read the tree of ${commit} in ${repo}: expected a file, found "${part.toString()}".`,
      )
    }
    tree.set(pathText(part.subarray(tab + 1)), { mode, blob })
  }
  return tree
}
