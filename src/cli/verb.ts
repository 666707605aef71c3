import type { ArgumentsCamelCase, InferredOptionTypes, Options } from 'yargs'
import type { Output } from './output.ts'

/** What a verb is given besides its options. */
export interface Context {
  readonly output: Output
  /** Is aborted by Ctrl-C once `interruptible` was called. */
  readonly signal: AbortSignal
  /**
   * From this call on Ctrl-C aborts the signal instead of killing the process. Only for work that leaves this thread
   * free to hear of it.
   */
  interruptible(): AbortSignal
}

/** A positional value: `<name>`, or `[name]` where it may be left out; the last may be repeated. */
export interface Positional {
  readonly name: string
  readonly describe: string
  readonly optional?: true
  readonly several?: true
}

/** One option, in the terms of yargs, and the name of its value for the help. */
export interface OptionSpec extends Options {
  readonly type: 'string' | 'boolean'
  readonly describe: string
  readonly value?: string
  /** The option may be given without its value, which then is an empty text. */
  readonly valueOptional?: true
  readonly alias?: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** Options that every verb has. */
export const commonOptions = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON on stdout' },
  quiet: { type: 'boolean', default: false, describe: 'Nothing on stderr but errors' },
  verbose: { type: 'boolean', default: false, describe: 'Stack traces and causes of errors' },
  help: { type: 'boolean', alias: 'h', default: false, describe: 'Print this' },
} as const satisfies OptionSpecs

/** For verbs that read or write views. */
export const outOption = {
  out: {
    type: 'string',
    default: 'views',
    value: 'folder',
    requiresArg: true,
    describe: 'The folder that holds the views',
  },
} as const satisfies OptionSpecs

/** Options by their names in camel case, and the positional values in order. */
export type Given<Specs extends OptionSpecs = typeof commonOptions> = ArgumentsCamelCase<
  InferredOptionTypes<Specs & typeof commonOptions>
> & { readonly values: readonly string[] }

/** One word of the command line, as `rebuild`. */
export interface Verb {
  readonly positionals: readonly Positional[]
  readonly options: OptionSpecs
  /** Arguments after `refold <verb>`, and what they do. */
  readonly examples: readonly (readonly [parameters: string, does: string])[]
  /** Runs it and returns the exit code. */
  run(given: Given, context: Context): Promise<number>
}

/** Types what `run` is given from `options`. */
export function defineVerb<const Specs extends OptionSpecs>(
  verb: Omit<Verb, 'options' | 'run'> & {
    readonly options: Specs
    run(given: Given<Specs>, context: Context): Promise<number>
  },
): Verb {
  return verb as unknown as Verb
}
