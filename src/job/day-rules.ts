import type { AnyNode, CallExpression, Pattern } from 'acorn'
import type { Fields } from '../model/type.ts'
import { sharesOf, type ViewDefinition } from '../model/view.ts'
import { parseFunction } from './function-syntax.ts'
import { visit } from './syntax.ts'

/**
 * Calls of `dayOf` and its like with a field that is a day: a small number of days, which they would read as a moment of the
 * first seconds of 1970. Found in the text of functions, as both are numbers; what reaches the call in other ways is not followed.
 */
export function dayProblems(view: ViewDefinition): string[] {
  return sharesOf(view).flatMap(({ log, on, keyBy, filter, window }) => {
    const days = dayNames(log.fields)
    const of = view.logs === undefined ? '' : `${log.name}, `
    if (days.size === 0) return []
    const given = Object.entries({ keyBy, filter, 'window.measure': window?.measure }).map(
      ([name, fn]) => [name, fn, 0] as const,
    )
    const handlers = Object.entries(on).map(([type, fn]) => [`handler ${type}`, fn, 1] as const)
    return [...given, ...handlers].flatMap(([place, fn, parameter]) =>
      typeof fn === 'function' ? calledWithDays(fn, parameter, days).map((problem) => `${of}${place}: ${problem}`) : [],
    )
  })
}

function dayNames(fields: Fields): ReadonlySet<string> {
  const days = Object.entries(fields).filter(([, type]) => type.kind === 'date')
  return new Set(days.map(([name]) => name))
}

function calledWithDays(fn: (...parameters: never) => unknown, parameter: number, days: ReadonlySet<string>): string[] {
  const definition = parseFunction(fn.toString())
  const event = definition?.params[parameter]
  if (definition === undefined || event === undefined) return []
  const found: string[] = []
  visit(definition.body, (node) => {
    if (node.type !== 'CallExpression') return
    const name = momentFunction(node)
    const field = name === undefined ? undefined : fieldOf(node.arguments[0], event)
    if (field === undefined || !days.has(field)) return
    const remedy =
      name === 'dayOf'
        ? 'use it as it is'
        : `declare it as a moment, ${field}: timestamp('us', …), which is its midnight`
    found.push(`${name}() expects a moment, and field "${field}" is a day: ${remedy}`)
  })
  return found
}

/** A bundler may number a name that several modules have, and write `(0, refold.dayOf)(…)` for one of another module. */
function momentFunction({ callee }: CallExpression): string | undefined {
  const called = callee.type === 'SequenceExpression' ? callee.expressions.at(-1)! : callee
  const name = called.type === 'MemberExpression' && !called.computed ? called.property : called
  return name.type === 'Identifier' ? /^(dayOf|hourOf|monthOf)\d*$/.exec(name.name)?.[1] : undefined
}

/** Which field of the event an expression is. */
function fieldOf(value: AnyNode | undefined, event: Pattern): string | undefined {
  if (value?.type === 'MemberExpression' && !value.computed && value.property.type === 'Identifier') {
    const isEvent =
      event.type === 'Identifier' && value.object.type === 'Identifier' && value.object.name === event.name
    return isEvent ? value.property.name : undefined
  }
  if (value?.type !== 'Identifier' || event.type !== 'ObjectPattern') return undefined
  for (const property of event.properties) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier' || property.computed) continue
    if (property.value.type === 'Identifier' && property.value.name === value.name) return property.key.name
  }
  return undefined
}
