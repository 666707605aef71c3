import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { SentNotice } from '../read/notices.ts'
import { requireLocal } from '../storage/local-path.ts'
import type { Disk } from '../storage/store.ts'

/** Where notices go. */
export interface Target {
  /** Identifies a target: the kind, and the file, address or command. */
  readonly name: string
  /** Whether notices of two views, delivered at the same time, would spoil each other. */
  readonly oneViewAtATime: boolean
  /** How many notices it takes at once: all or none of them, or it can tell which it has. */
  readonly batchMax: number
  /**
   * Delivers notices that follow each other, once; resolves when all were taken.
   *
   * @throws NotTaken
   */
  deliver(notices: readonly SentNotice[], signal: AbortSignal): Promise<void>
}

/** The target didn't take the notice. */
export class NotTaken extends Error {
  /** Whether it may take it when it is asked again. */
  readonly mayRetry: boolean

  constructor(reason: string, mayRetry: boolean, options?: ErrorOptions) {
    super(reason, options)
    this.mayRetry = mayRetry
  }
}

/** So many that two flushes and a rename for all of them take no longer than writing them. */
const fileBatchMax = 4096

/**
 * Adds a line of JSON to a file for each notice; taken when it is on the disk. Where a process died before the cursor was moved, lines that
 * it wrote are found and not written again.
 */
export function fileTarget(path: string, files: Disk): Target {
  // What this process writes it knows of.
  let isFirst = true
  return {
    name: `file:${resolve(requireLocal(path, 'deliver to'))}`,
    oneViewAtATime: true,
    batchMax: fileBatchMax,
    async deliver(notices) {
      const lines = notices.map(({ json }) => json)
      files.appendLines(path, lines, isFirst)
      isFirst = false
    },
  }
}

/**
 * Runs a command in the system's shell with the notice on its standard input; taken when it ends with 0.
 *
 * @param quiet What it prints on its standard output is for nobody.
 */
export function commandTarget(command: string, timeoutMs: number, quiet = false): Target {
  return {
    name: `command:${command}`,
    oneViewAtATime: false,
    batchMax: 1,
    async deliver([notice], signal) {
      // What it prints is for people; standard output is kept for the result.
      const stdio: StdioOptions = ['pipe', quiet ? 'ignore' : process.stderr, process.stderr]
      // In a group of its own, so that what the shell started ends with it.
      const child = spawn(command, { shell: true, detached: hasGroups, stdio })
      const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      // A command may take what it needs and close its end.
      child.stdin!.on('error', () => {})
      child.stdin!.end(`${notice!.json}\n`)
      const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const kill = () => killAll(child)
      stop.addEventListener('abort', kill, { once: true })
      try {
        const [code, killedBy] = await ended
        signal.throwIfAborted()
        if (stop.aborted) throw new NotTaken(`it did not end within ${timeoutMs / 1000} s`, true)
        if (code !== 0) throw new NotTaken(`it ended with ${code ?? killedBy}`, true)
      } finally {
        stop.removeEventListener('abort', kill)
      }
    },
  }
}

const hasGroups = process.platform !== 'win32'

function killAll(child: ChildProcess): void {
  if (child.pid === undefined || !hasGroups) {
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Answers that say the notice may be taken later. */
const laterStatuses = new Set([408, 425, 429])

/** Posts the notice as JSON; taken when the answer's status is 2xx. */
export function webhookTarget(url: string, timeoutMs: number): Target {
  return {
    name: `webhook:${url}`,
    oneViewAtATime: false,
    batchMax: 1,
    async deliver([notice], signal) {
      const { id, json } = notice!
      const response = await post(url, id, json, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])).catch(
        (error: unknown) => {
          signal.throwIfAborted()
          throw new NotTaken(reasonOf(error, timeoutMs), true, { cause: error })
        },
      )
      if (response.ok) return
      throw new NotTaken(`it answered ${response.status}`, response.status >= 500 || laterStatuses.has(response.status))
    },
  }
}

async function post(url: string, id: string, json: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id, 'user-agent': 'refold' },
    body: json,
    // Another place was not asked for.
    redirect: 'manual',
    signal,
  })
  await response.body?.cancel()
  return response
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1000} s`
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause)
}

/** The failure of a target, as an error of the rebuild's own kind. */
export function undelivered(target: string, { id }: SentNotice, attempts: number, error: NotTaken): OutputError {
  const times = attempts === 1 ? 'once' : `${attempts} times`
  return new OutputError(
    `Cannot deliver notice ${id} to ${target}: ${error.message} (tried ${times}). It and all after it are delivered when notify is run again.`,
    {},
    { cause: error },
  )
}
