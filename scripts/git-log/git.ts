import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { RefoldError } from '../../src/model/errors.ts'

/**
 * Variables with which git, when it runs a hook, points its children at the repository it works on. They would win over
 * the repository that was asked for.
 */
const pointers = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_COMMON_DIR', 'GIT_PREFIX', 'GIT_OBJECT_DIRECTORY']

/** Settings of the user that would change what the log shows and that no option overrides. */
const settings = ['-c', 'log.showRoot=true', '-c', 'i18n.logOutputEncoding=UTF-8']

/** Runs git in a repository and yields what it prints. Throws where git can't be started or ends with an error. */
export async function* runGit(repo: string, arguments_: readonly string[]): AsyncGenerator<Buffer> {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !pointers.includes(name)))
  const git = spawn('git', ['--no-replace-objects', ...settings, '-C', repo, ...arguments_], {
    env: { ...environment, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const complaints: Buffer[] = []
  git.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  const ended = once(git, 'close').catch((error: unknown) => {
    throw new RefoldError(
      `Cannot run git in ${repo}: ${String(error)}. Install git 2.31 or newer.`,
      {},
      { cause: error },
    )
  })
  // Awaited below; without this, a git that cannot be started would end the process before the loop has ended.
  ended.catch(() => {})
  try {
    for await (const chunk of git.stdout) yield chunk as Buffer
    const [code] = await ended
    if (code !== 0) {
      const said = Buffer.concat(complaints).toString().trim()
      throw new RefoldError(
        `Cannot read ${repo} with "git ${arguments_[0]}": git ended with code ${code} and said "${said}".`,
      )
    }
  } finally {
    git.kill()
  }
}

/** What git prints for a short question, without the line end. */
export async function askGit(repo: string, ...arguments_: string[]): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of runGit(repo, arguments_)) chunks.push(chunk)
  return Buffer.concat(chunks).toString().trimEnd()
}

/** The NUL-terminated parts of what `git … -z` prints. */
export async function* splitAtNul(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(0, start); end !== -1; end = bytes.indexOf(0, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest
}

/**
 * A path as text. Git's paths are bytes: one that is not UTF-8 would lose its difference from others, so it is written
 * the way git quotes it, in double quotes with octal escapes; and so is a path that itself begins with a double quote.
 */
export function pathText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  if (!text.startsWith('"') && Buffer.from(text, 'utf8').equals(bytes)) return text
  const quoted = Array.from(bytes, (byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)
  })
  return `"${quoted.join('')}"`
}
