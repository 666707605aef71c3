import type { Argv } from 'yargs'
import { ConfigurationError } from '../model/errors.ts'
import { nearest } from '../model/suggest.ts'
import { ExitCode } from './failure.ts'
import { helpOf, helpOfAll } from './help.ts'
import { type Context, commonOptions, type Given, type Positional, type Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** Parses the parameters, runs their verb and returns its exit code. */
export async function runCommandLine(parameters: readonly string[], context: Context): Promise<number> {
  const [name, ...rest] = parameters[0] === 'help' ? [...parameters.slice(1), '--help'] : parameters
  if (name === undefined) {
    context.output.error(helpOfAll().trimEnd())
    return ExitCode.usage
  }
  if (name === '--help' || name === '-h') {
    await context.output.result(helpOfAll())
    return ExitCode.done
  }
  const listed = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (listed === undefined) throw new ConfigurationError(describeUnknownVerb(name))
  const verb = await listed.load()
  const given = (await (await parserOf(name, verb, rest)).parseAsync()) as unknown as Given & {
    readonly _: readonly string[]
  }
  if (given.help) {
    await context.output.result(helpOf(name, verb))
    return ExitCode.done
  }
  refuseRepeated(verb, given)
  context.output.quiet = given.quiet
  return verb.run({ ...given, values: positionalValues(name, verb.positionals, given._) }, context)
}

/**
 * yargs knows the options; positional values are taken from what it leaves over, because as its own positionals they
 * lose what follows `--`, and a key may begin with a dash.
 */
async function parserOf(name: string, verb: Verb, parameters: readonly string[]): Promise<Argv> {
  // Loaded here, as neither the help of all nor a mistyped verb needs it.
  const { default: yargs } = await import('yargs')
  const options = { ...verb.options, ...commonOptions }
  return (
    yargs([...parameters])
      .scriptName('refold')
      .locale('en')
      .version(false)
      .help(false)
      .options(options)
      .exitProcess(false)
      .strictOptions()
      // A key is text, whatever it looks like: 007 is not 7.
      .parserConfiguration({
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'dot-notation': false,
        'greedy-arrays': false,
        'boolean-negation': false,
        'strip-dashed': true,
      })
      .fail((message, error) => {
        throw new ConfigurationError(describeMisuse(name, message ?? error.message, Object.keys(options)))
      })
  )
}

function positionalValues(
  verb: string,
  positionals: readonly Positional[],
  values: readonly string[],
): readonly string[] {
  const missing = positionals[values.length]
  if (missing !== undefined && !missing.optional) {
    throw new ConfigurationError(`expected <${missing.name}>, found nothing: ${missing.describe}. ${seeHelp(verb)}`)
  }
  if (values.length > positionals.length && !positionals.at(-1)?.several) {
    const extra = values[positionals.length]
    throw new ConfigurationError(`expected no more after ${values[0]}, found ${extra}. ${seeHelp(verb)}`)
  }
  return values
}

function refuseRepeated({ options }: Verb, given: Readonly<Record<string, unknown>>): void {
  for (const [name, spec] of Object.entries({ ...options, ...commonOptions })) {
    const value = given[name.replace(/-./g, (dashed) => dashed[1]!.toUpperCase())]
    if (Array.isArray(value) && !('array' in spec && spec.array)) {
      throw new ConfigurationError(`expected --${name} once, found ${value.join(' and ')}.`)
    }
    if ('valueOptional' in spec && value === '') continue
    if (value === '' || (Array.isArray(value) && value.includes('')))
      throw new ConfigurationError(`expected a value after --${name}, found nothing.`)
  }
}

function describeUnknownVerb(name: string): string {
  if (name.startsWith('-')) return `expected a verb first, found ${name}. ${seeHelp()}`
  const meant = nearest(name, Object.keys(verbs))
  return `there is no verb ${name}${meant === undefined ? '.' : `; did you mean ${meant}?`} ${seeHelp()}`
}

/** Makes whole sentences of what yargs says. */
function describeMisuse(verb: string, message: string, options: readonly string[]): string {
  const unknownName = /^Unknown arguments?: ([^,]+)/.exec(message)?.[1]
  if (unknownName !== undefined) {
    const unknown = unknownName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const meant = nearest(unknown, options)
    const hint = meant === undefined ? '.' : `; did you mean --${meant}?`
    return `there is no option ${unknown.length === 1 ? '-' : '--'}${unknown}${hint} ${seeHelp(verb)}`
  }
  const bare = /^Not enough arguments following: (.+)$/.exec(message)?.[1]
  if (bare !== undefined) return `expected a value after --${bare}, found nothing. ${seeHelp(verb)}`
  return `${message.replaceAll('\n', ' ')} ${seeHelp(verb)}`
}

function seeHelp(verb?: string): string {
  return `See refold ${verb === undefined ? '' : `${verb} `}--help.`
}
