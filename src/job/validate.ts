import { z } from 'zod'
import { ConfigurationError } from '../model/errors.ts'
import type { JobDefinition } from '../model/view.ts'
import { problemsOf } from './rules.ts'

/**
 * A job as it must be made, whoever made it: a plain JavaScript file has no compiler to check it. Every message is what
 * was expected; what was found and where is added below.
 */
const aFunction = z.custom((value) => typeof value === 'function', 'a function')
const aName = z.string('a name').min(1, 'a name')
const aPath = z.union([aName, z.array(aName).min(1, 'at least one')], 'a column, or a path as an array of names')
const zoneExample = "a time zone, as 'Asia/Taipei'"
const disambiguations = ['reject', 'compatible', 'earlier', 'later'] as const
const disambiguationChoices = "'reject', 'compatible', 'earlier' or 'later'"
const storedAsChoices = "'s', 'ms', 'us', 'ns', 'text', 'utc' or 'local'"

const aType = z.strictObject(
  {
    kind: z.enum(
      [
        'int32',
        'int64',
        'bigint',
        'uint64',
        'decimal',
        'float64',
        'bool',
        'string',
        'bytes',
        'uuid',
        'timestamp',
        'date',
        'json',
      ],
      'a declared type, such as int64()',
    ),
    nullable: z.boolean('true or false'),
    from: aPath.optional(),
    initial: z.unknown().optional(),
    whenMissing: z.unknown().optional(),
    optional: z.boolean('true or false').optional(),
    unit: z.enum(['ms', 'us', 'ns'], "'ms', 'us' or 'ns'").optional(),
    storedAs: z.enum(['s', 'ms', 'us', 'ns', 'text', 'utc', 'local'], storedAsChoices).optional(),
    zone: z.string(zoneExample).optional(),
    disambiguation: z.enum(disambiguations, disambiguationChoices).optional(),
    precision: z.number('the number of digits').optional(),
    scale: z.number('the number of digits after the point').optional(),
  },
  'a declared type, such as int64()',
)
const fields = z.record(z.string(), aType, 'an object of declared types')
const role = z.union([aName, aType], "a column's name, or a declared type with its column, as int64('account_id')")

const aLog = z.strictObject(
  {
    kind: z.literal('log', 'a log made by defineLog'),
    name: aName,
    files: z.union([aName, z.array(aName)], 'a glob, or an array of globs'),
    view: z
      .custom((value) => (value as { kind?: unknown } | null)?.kind === 'view', 'a view made by defineView')
      .optional(),
    columns: z.strictObject(
      {
        id: z.union(
          [aName, aType, z.array(role).min(1, 'at least one')],
          "the column that identifies an event, or an array of columns, as ['day', int64('no')]",
        ),
        key: role.optional(),
        type: role.optional(),
        occurredAt: role.optional(),
        recordedAt: role.optional(),
        sequence: role.optional(),
      },
      'an object that names the columns of id, key, type, occurredAt, recordedAt and sequence',
    ),
    fields,
    timeUnit: z.enum(['ms', 'us', 'ns'], "'ms', 'us' or 'ns'"),
    zone: z.string(zoneExample),
    declaresZone: z.boolean('true or false'),
    disambiguation: z.enum(disambiguations, disambiguationChoices),
    idleTimeout: z.string("a number and a unit, as '7 days'"),
    maxClockSkew: z.string("a number and a unit, as '7 days'"),
    types: z.array(aName, 'an array of event types').optional(),
    recordsWholeDays: z.boolean('true or false'),
    uniqueIds: z.boolean('true or false'),
    duplicates: z
      .strictObject(
        {
          ignore: z
            .array(aName, "an array of 'recordedAt', 'sequence' and names of fields")
            .min(1, 'at least one name'),
          keep: z.enum(['first', 'last'], "'first' or 'last'"),
        },
        "an object, as { ignore: ['recordedAt'], keep: 'first' }",
      )
      .optional(),
    partitionedByKey: z.boolean('true or false'),
    order: z
      .array(z.string('an event role'), 'an array of the roles that events are ordered by')
      .min(1, 'at least one role')
      .optional(),
    sequenceScope: z.enum(['stream', 'log'], "'stream' or 'log'"),
    tieBreak: z.array(
      z.union(
        [aName, z.strictObject({ types: z.array(aName, 'an array of event types').min(1, 'at least one type') })],
        {
          error: "the name of a field, 'key', 'occurredAt', or { types: [...] }",
        },
      ),
      "the name of a field, 'key', 'occurredAt', or { types: [...] }, or an array of those",
    ),
    upcast: z.record(z.string(), aFunction, 'an object of functions by event type'),
  },
  'a log made by defineLog',
)

const aWindow = z.strictObject(
  {
    name: z.string('a name'),
    every: z.string("'hour', 'day', 'week', 'month' or a duration, as '6 hours'"),
    zone: z.string(zoneExample),
    allowedLateness: z.string("a number and a unit, as '7 days'"),
    late: z.enum(['exceptions', 'apply'], "'exceptions' or 'apply'"),
    measure: aFunction.optional(),
  },
  "windows, as { every: 'day', allowedLateness: '7 days' }",
)

const aHandlers = z.record(z.string(), aFunction.optional(), 'an object of handlers by event type')

const aLogView = z.strictObject(
  {
    kind: z.literal('view', 'a view made by defineView'),
    name: aName,
    log: aLog,
    logs: z.undefined().optional(),
    window: aWindow.optional(),
    key: fields.optional(),
    keyBy: aFunction.optional(),
    state: z.union([aFunction, fields], {
      error: 'an object of declared types, or a function that makes a state',
    }),
    on: aHandlers,
    filter: aFunction.optional(),
    unknown: z.enum(['filter', 'quarantine', 'fail'], "'filter', 'quarantine' or 'fail'"),
    onError: z.enum(['fail', 'quarantine'], "'fail' or 'quarantine'"),
    merge: aFunction.optional(),
    orderFree: z.boolean('true or false'),
    columns: fields.optional(),
    row: aFunction.optional(),
  },
  'a view made by defineView',
)

function byLog<T extends z.ZodType>(what: string, each: T) {
  return z.record(z.string(), each.optional(), `an object of ${what} by the log's name`)
}

const aMergedView = aLogView.extend({
  log: z.undefined('nothing, as log and logs exclude each other').optional(),
  logs: z.array(aLog, 'an array of logs made by defineLog'),
  window: aWindow.extend({ measure: byLog('functions', aFunction).optional() }).optional(),
  keyBy: byLog('functions', aFunction).optional(),
  on: byLog('handlers', aHandlers),
  filter: byLog('functions', aFunction).optional(),
})

/** A view of one log or of several: whether `logs` are given decides what else is. */
const aView = z.unknown().check(({ value, issues }) => {
  const isMerged = (value as { logs?: unknown } | null | undefined)?.logs !== undefined
  const found = (isMerged ? aMergedView : aLogView).safeParse(value)
  for (const issue of found.error?.issues ?? []) issues.push({ ...issue, input: value } as (typeof issues)[number])
})

const aJob = z.strictObject(
  {
    kind: z.literal('job', 'a job made by defineJob'),
    views: z.array(aView, 'an array of views'),
    schedule: z.string("a cron expression, as '0 2 * * *'").optional(),
  },
  'a job made by defineJob',
)

/**
 * Checks a job completely.
 *
 * @param path Names the job in messages.
 * @throws ConfigurationError with everything that is wrong with it.
 */
export function validateJob(value: unknown, path: string): JobDefinition {
  const parsed = aJob.safeParse(value)
  const problems = parsed.success
    ? problemsOf(value as JobDefinition)
    : withoutConsequences(parsed.error.issues.flatMap(flatten)).map((issue) => describeIssue(issue, value))
  if (problems.length === 0) return value as JobDefinition
  const [only] = problems
  const told =
    problems.length === 1
      ? `: ${only}`
      : `, which has ${problems.length} faults:\n${problems.map((problem) => `- ${problem}`).join('\n')}`
  throw new ConfigurationError(`Cannot use the job ${path}${told}`, { file: path })
}

type Issue = z.core.$ZodIssue

/** Of the ways a value may be made, the nearest one: the one whose fault lies deepest. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map((inner) => inner.path.length))
  const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]
  if (nearest === undefined || depth(nearest) === 0) return [issue]
  return nearest.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** A value of another kind, such as a log in place of a view, has that one fault and not one for each property. */
function withoutConsequences(issues: readonly Issue[]): Issue[] {
  const strangers = issues.filter((issue) => issue.path.at(-1) === 'kind').map((issue) => issue.path.slice(0, -1))
  return issues.filter((issue) => {
    const below = strangers.find((path) => path.every((step, index) => step === issue.path[index]))
    return below === undefined || (issue.path.length === below.length + 1 && issue.path.at(-1) === 'kind')
  })
}

function describeIssue(issue: Issue, root: unknown): string {
  if (issue.code === 'unrecognized_keys')
    return `${describePath(issue.path, root, true)}unknown option ${issue.keys.map((key) => `"${key}"`).join(', ')}`
  const place = describePath(issue.path, root)
  const found = issue.path.at(-1) === 'kind' ? issue.path.slice(0, -1) : issue.path
  return `${place}expected ${issue.message}, found ${describeValue(valueAt(root, found))}`
}

/**
 * `view "balances", log "ledger", fields.amount: `
 *
 * @param isWhole Whether the last step is a view or a log that was made as one, so that its name is known.
 */
function describePath(path: readonly PropertyKey[], root: unknown, isWhole = false): string {
  const words: string[] = []
  let rest = path.at(-1) === 'kind' ? path.slice(0, -1) : path
  if (rest[0] === 'views' && rest.length > 1) {
    words.push(`view ${named(valueAt(root, rest.slice(0, 2)), `number ${Number(rest[1]) + 1}`)}`)
    rest = rest.slice(2)
    if (rest[0] === 'log' && (isWhole || rest.length > 1)) {
      words.push(`log ${named(valueAt(root, path.slice(0, 3)), 'without a name')}`)
      rest = rest.slice(1)
    }
  }
  if (rest.length > 0) words.push(rest.map(String).join('.'))
  return words.length === 0 ? '' : `${words.join(', ')}: `
}

function named(value: unknown, otherwise: string): string {
  const name = (value as { name?: unknown } | null | undefined)?.name
  return typeof name === 'string' && name !== '' ? `"${name}"` : otherwise
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step]
  return value
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (typeof value === 'object' && value !== null) {
    const { kind } = value as { kind?: unknown }
    return typeof kind === 'string' ? `a ${kind}` : 'an object'
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
