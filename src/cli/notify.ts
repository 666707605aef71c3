import { ConfigurationError } from '../model/errors.ts'
import type { Target } from '../notify/targets.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { formatCounted } from './numbers.ts'
import { parseCount } from './options.ts'
import { defineVerb, outOption } from './verb.ts'

const retriesDefault = 5
const timeoutSecondsDefault = 30
const waitMsDefault = 1000
const retriesMax = 1000
const timeoutSecondsMax = 86_400
const waitMsMax = 60_000

export const notify = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name" }],
  options: {
    file: { type: 'string', value: 'path', requiresArg: true, describe: 'Add a line of JSON to this file for each' },
    command: {
      type: 'string',
      value: 'command',
      requiresArg: true,
      describe: 'Run this in the shell for each, with its JSON as standard input; exit code 0 says it was taken',
    },
    webhook: { type: 'string', value: 'URL', requiresArg: true, describe: 'Post each as JSON; 2xx says it was taken' },
    retries: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `How often one that was not taken is sent again. Default: ${retriesDefault}`,
    },
    timeout: {
      type: 'string',
      value: 'seconds',
      requiresArg: true,
      describe: `How long a command or an answer may take. Default: ${timeoutSecondsDefault}`,
    },
    wait: {
      type: 'string',
      value: 'ms',
      requiresArg: true,
      describe: `Milliseconds before it is sent again, twice as long each time. Default: ${waitMsDefault}`,
    },
    ...outOption,
  },
  examples: [
    ['daily-cases --file corrections.jsonl', 'one line each; run again, it adds what is new'],
    ["daily-cases --command 'mail -s correction desk@example.org'", 'one mail each'],
    ['daily-cases --webhook https://example.org/corrections', 'one request each; the header Idempotency-Key is its id'],
  ],
  async run(given, { output, interruptible }) {
    const target = await targetOf(given)
    const retries = countOf('retries', given.retries, retriesDefault, 0, retriesMax)
    const waitMs = countOf('wait', given.wait, waitMsDefault, 0, waitMsMax)
    const [{ deliverNotices }, { disk }, { findView }, { windowOf }] = await Promise.all([
      import('../notify/deliver.ts'),
      import('../storage/disk.ts'),
      import('../read/view-files.ts'),
      import('../read/window.ts'),
    ])
    const [view] = given.values as [string]
    windowOf(findView(given.out, view), 'refold notify')
    let taken = 0
    const options = {
      ...{ retries, waitMs, signal: interruptible() },
      onGap: (reason: string) => output.error(reason),
      onDelivered: () => {
        taken++
      },
    }
    const told = (count: number) => `${formatCounted(count, 'notice')} of view ${view} delivered`
    try {
      const delivered = await deliverNotices(given.out, view, target, options, disk)
      if (given.json) await output.result(toJson({ view, ...delivered }))
      else output.note(`${told(delivered.delivered)}.`)
      return ExitCode.done
    } catch (error) {
      output.error(`${told(taken)} before it stopped.`)
      throw error
    }
  },
})

interface GivenTarget {
  readonly file?: string | undefined
  readonly command?: string | undefined
  readonly webhook?: string | undefined
  readonly timeout?: string | undefined
  readonly quiet: boolean
}

async function targetOf(given: GivenTarget): Promise<Target> {
  const named = (['file', 'command', 'webhook'] as const).filter((kind) => given[kind] !== undefined)
  if (named.length !== 1) {
    const found = named.length === 0 ? 'none' : named.map((kind) => `--${kind}`).join(' and ')
    throw new ConfigurationError(`Where to? Expected one of --file, --command and --webhook, found ${found}.`)
  }
  const timeoutMs = countOf('timeout', given.timeout, timeoutSecondsDefault, 1, timeoutSecondsMax) * 1000
  const [{ commandTarget, fileTarget, webhookTarget }, { disk }] = await Promise.all([
    import('../notify/targets.ts'),
    import('../storage/disk.ts'),
  ])
  if (given.file !== undefined) return fileTarget(given.file, disk)
  if (given.command !== undefined) return commandTarget(given.command, timeoutMs, given.quiet)
  return webhookTarget(webhookUrl(given.webhook!), timeoutMs)
}

function webhookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(
      `--webhook: expected an address such as https://example.org/corrections, found ${text}.`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigurationError(
      '--webhook: expected an address without a user and password, which requests do not send; give a token in its path or query.',
    )
  }
  return url.href
}

function countOf(option: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  return text === undefined ? otherwise : parseCount(option, text, min, max)
}
