import { type AnyLog, logsOf, type ViewDefinition } from '../model/view.ts'

/**
 * Definitions as JSON values, for comparing and hashing. What `describeFunction` makes of a function takes its
 * place; numbers and integers that JSON doesn't know are spelled out.
 */
export type DescribeFunction = (fn: (...parameters: never) => unknown) => unknown

export function describeLog(log: AnyLog, describeFunction: DescribeFunction): unknown {
  return describe(log, describeFunction)
}

/** Everything that decides a view's result: all of it and of its log, but not where its events lie. */
export function describeView(view: ViewDefinition, describeFunction: DescribeFunction): unknown {
  const logs = logsOf(view).map(({ files: _, partitionedByKey: __, declaresZone: ___, view: ____, ...log }) => log)
  const source = view.log?.view
  const rowsOf = source === undefined ? {} : { view: describeView(source as ViewDefinition, describeFunction) }
  const described = view.logs === undefined ? { ...view, log: logs[0] } : { ...view, logs }
  return { ...(describe(described, describeFunction) as object), ...rowsOf }
}

function describe(value: unknown, describeFunction: DescribeFunction): unknown {
  if (typeof value === 'function') return { function: describeFunction(value as (...parameters: never) => unknown) }
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  if (typeof value === 'symbol') return { symbol: String(value) }
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : describe(item, describeFunction)))
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? { number: '-0' } : value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, describe(item, describeFunction)]))
}
