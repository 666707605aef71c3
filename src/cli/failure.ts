import { RefoldError } from '../model/errors.ts'

/** What the command ends with. `signal` is added to a signal's number: 130 after Ctrl-C. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  exceptions: 3,
  difference: 4,
  signal: 128,
} as const

export interface Failure {
  readonly text: string
  readonly exitCode: number
}

/**
 * What a person sees of an error. Errors raised on purpose say all there is to know; anything else is a defect of
 * Refold, and says so. `verbose` adds stack traces and causes.
 */
export function describeFailure(error: unknown, verbose: boolean): Failure {
  if (error instanceof RefoldError) {
    const detail = verbose ? `\n${stacksOf(error)}` : ''
    return { text: `refold: ${error.message}${detail}`, exitCode: error.exitCode }
  }
  const message = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replace(/\.?$/, '.')
  const detail = verbose ? `\n${stacksOf(error)}` : ' Run it again with --verbose to see where it happened.'
  return { text: `refold: internal error: ${message}${detail}`, exitCode: ExitCode.failed }
}

function stacksOf(error: unknown): string {
  const stacks: string[] = []
  const seen = new Set<unknown>()
  for (let next = error; next !== undefined && !seen.has(next); next = next instanceof Error ? next.cause : undefined) {
    seen.add(next)
    const stack = next instanceof Error ? (next.stack ?? String(next)) : String(next)
    stacks.push(stacks.length === 0 ? stack : `caused by: ${stack}`)
  }
  return stacks.join('\n')
}
