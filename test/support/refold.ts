import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const repositoryRoot: string = fileURLToPath(new URL('../..', import.meta.url))
export const command: string = fileURLToPath(new URL('../../bin/refold.js', import.meta.url))

export interface Ran {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a user would, in a process of its own. */
export function refold(
  parameters: readonly string[],
  options: SpawnSyncOptions & { nodeOptions?: string[] } = {},
): Ran {
  const { nodeOptions = [], ...rest } = options
  const result = spawnSync(process.execPath, [...nodeOptions, command, ...parameters], {
    cwd: repositoryRoot,
    ...rest,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  return { exitCode: result.status, stdout: result.stdout, stderr: result.stderr }
}

/** What the command writes to stdout, where that is no text. */
export function refoldBytes(...parameters: readonly string[]): Buffer {
  return spawnSync(process.execPath, [command, ...parameters], { cwd: repositoryRoot, maxBuffer: 2 ** 28 }).stdout
}
