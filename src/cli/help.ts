import { commonOptions, type OptionSpec, type Positional, type Verb } from './verb.ts'
import { verbs } from './verbs.ts'

const widthMax = 96

const exitCodes = `Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 finished with more
exceptions than allowed, 4 contenders or verification differ, 130 stopped by Ctrl-C.
`

export function helpOfAll(): string {
  const summaries = Object.entries(verbs).map(([name, { summary }]) => [name, `${summary}.`] as const)
  return `Usage: refold <verb> …

Rebuilds materialized views from partitioned Parquet event logs.

Verbs:
${list(summaries)}
  refold <verb> --help shows what a verb takes, with examples.
  refold --version prints the version.

Examples:
  refold inspect 'data/ledger/**/*.parquet'
  refold rebuild jobs/ledger.ts --view balances
  refold show balances --limit 5

${exitCodes}`
}

export function helpOf(name: string, verb: Verb): string {
  const options = Object.entries({ ...verb.options, ...commonOptions })
  const examples = verb.examples.map(([parameters, does]) => `  refold ${name} ${parameters}\n      ${does}\n`)
  return `Usage: refold ${[name, ...verb.positionals.map(notation)].join(' ')} [options]

${verbs[name]!.summary}.

${list(verb.positionals.map((positional) => [notation(positional), `${positional.describe}.`]))}
Options:
${list(options.map(([option, spec]) => [optionNotation(option, spec), `${describeOption(spec)}.`]))}
Examples:
${examples.join('')}
${exitCodes}`
}

function notation({ name, optional, several }: Positional): string {
  const shown = several ? `${name}…` : name
  return optional ? `[${shown}]` : `<${shown}>`
}

function optionNotation(name: string, { value, valueOptional, alias }: OptionSpec): string {
  const shown = value === undefined ? '' : valueOptional ? ` [${value}]` : ` <${value}>`
  return `${alias === undefined ? '' : `-${alias}, `}--${name}${shown}`
}

function describeOption({ describe, default: byDefault }: OptionSpec): string {
  return typeof byDefault === 'string' ? `${describe} (default ${byDefault})` : describe
}

/** Two columns, the second wrapped. */
function list(entries: readonly (readonly [string, string])[]): string {
  const indent = Math.max(...entries.map(([term]) => term.length)) + 4
  let text = ''
  for (const [term, description] of entries) {
    let line = `  ${term}`.padEnd(indent)
    for (const word of description.split(' ')) {
      if (line.length + 1 + word.length > widthMax) {
        text += `${line.trimEnd()}\n`
        line = ' '.repeat(indent)
      }
      line += line.length === indent ? word : ` ${word}`
    }
    text += `${line}\n`
  }
  return text
}
