import type { AnyNode, Pattern } from 'acorn'
import { nearest } from '../model/suggest.ts'
import { type AnyLog, isTyped, type LogView, sharesOf, type ViewDefinition } from '../model/view.ts'
import { type FunctionNode, parseFunction } from './function-syntax.ts'
import { isFunction } from './outer-writes.ts'
import { fieldsRead } from './reads.ts'
import { returnsOf } from './returns.ts'
import { childrenOf, namesIn, visit } from './syntax.ts'

type AnyFunction = (...parameters: never) => unknown

/**
 * What the text of a view's functions shows to lead to nothing: a name that an event, a key or a typed state doesn't have is
 * undefined everywhere, and a new value of the parameter that is the state is lost. The compiler refuses such names; jobs run without it.
 */
export function nameProblems(view: ViewDefinition): string[] {
  const { merge, row, state } = view
  const keys = keyNames(view)
  const problems = sharesOf(view).flatMap((share) => {
    const of = view.logs === undefined ? '' : `${share.log.name}, `
    return shareProblems(share, keys).map((problem) => `${of}${problem}`)
  })
  const states = isTyped(state) ? { what: 'the state', names: Object.keys(state), remedy: 'declare it in state' } : null
  if (merge !== undefined) {
    problems.push(...lostProblems('merge', merge, states !== null))
    if (states !== null)
      problems.push(...unknownNames('merge', merge, 0, states), ...unknownNames('merge', merge, 1, states))
  }
  if (row !== undefined) {
    if (states !== null) problems.push(...unknownNames('row', row, 0, states))
    problems.push(...unknownNames('row', row, 1, keys))
  }
  return problems
}

/** What upcasters read that events of the log don't have. */
export function upcastNameProblems(log: AnyLog): string[] {
  return Object.entries(log.upcast as Readonly<Record<string, AnyFunction>>).flatMap(([type, fn]) =>
    unknownNames(`upcast ${type}`, fn, 0, eventNames(log)),
  )
}

/** What a parameter has. */
interface Known {
  readonly what: string
  readonly names: readonly string[]
  readonly remedy: string
}

function shareProblems({ log, on, keyBy, filter, window, state }: LogView, keys: Known): string[] {
  const event = eventNames(log)
  const problems = Object.entries({ keyBy, filter, 'window.measure': window?.measure }).flatMap(([name, fn]) =>
    fn === undefined ? [] : unknownNames(name, fn, 0, event),
  )
  for (const [type, handler] of Object.entries(on)) {
    if (handler === undefined) continue
    const place = `handler ${type}`
    problems.push(...unknownNames(place, handler, 1, event), ...unknownNames(place, handler, 2, keys))
    problems.push(...lostProblems(place, handler, isTyped(state)))
    if (isTyped(state)) {
      const names = Object.keys(state)
      problems.push(...unknownNames(place, handler, 0, { what: 'the state', names, remedy: 'declare it in state' }))
    }
  }
  return problems
}

function eventNames({ fields, columns }: AnyLog): Known {
  const roles = Object.entries(columns as Readonly<Record<string, unknown>>)
  const ownRoles = roles.filter(([, source]) => source !== undefined && !Array.isArray(source)).map(([role]) => role)
  const names = ['type', ...ownRoles, ...Object.keys(fields)]
  return { what: 'the event', names: [...new Set(names)], remedy: "declare it in the log's fields" }
}

function keyNames({ key, window }: ViewDefinition): Known {
  const declared = Object.keys(key ?? {})
  const names = window === undefined ? declared : [window.name, ...declared]
  if (names.length === 0) return { what: 'the key', names: ['key'], remedy: "the log's own key is called key" }
  return { what: 'the key', names, remedy: 'declare it in key' }
}

function unknownNames(place: string, fn: AnyFunction, parameter: number, { what, names, remedy }: Known): string[] {
  if (typeof fn !== 'function') return []
  const read = fieldsRead(fn, parameter)
  if (read === 'all') return []
  return [...read]
    .filter((name) => !names.includes(name) && !(name in Object.prototype))
    .map((name) => {
      const near = nearest(name, names)
      const meant = near === undefined ? `; ${remedy}` : `; did you mean "${near}"?`
      return `${place}: ${what} has no "${name}", it has ${names.join(', ')}${meant}`
    })
}

/** A state is changed in place, or returned; what is assigned to its parameter is gone when the function ends. */
function lostProblems(place: string, fn: AnyFunction, typed: boolean): string[] {
  if (typeof fn !== 'function') return []
  const definition = parseFunction(fn.toString())
  const [name] = namesIn((definition?.params[0] as Pattern | undefined) ?? null)
  if (definition === undefined || name === undefined || definition.params[0]?.type !== 'Identifier') return []
  if (!typed && returnsOf(fn) !== 'nothing') return []
  const assigned = assignsNewState(definition.body, name)
  if (!assigned) return []
  const remedy = typed ? `${name}.column = …` : `${name}.name = …, or return the new state`
  return [
    `${place}: it assigns to its parameter "${name}", which is lost when it ends; change the state instead: ${remedy}`,
  ]
}

/** Whether the variable is given an object of its own making; `s = s.accounts` is another name for what is in the state. */
function assignsNewState(body: AnyNode, name: string): boolean {
  let found = false
  const look = (node: AnyNode): void => {
    if (isFunction(node) && declares(node, name)) return
    if (node.type === 'AssignmentExpression' && node.left.type === 'Identifier' && node.left.name === name) {
      found ||= node.operator !== '=' || isMade(node.right)
    }
    for (const child of childrenOf(node)) look(child)
  }
  look(body)
  return found
}

/** Whether a function has a variable of the name, at whatever depth: it hides the parameter there. */
function declares(fn: AnyNode, name: string): boolean {
  let found = false
  visit(fn, (node) => {
    if (isFunction(node)) found ||= (node as FunctionNode).params.some((parameter) => namesIn(parameter).includes(name))
    else if (node.type === 'VariableDeclarator') found ||= namesIn(node.id).includes(name)
  })
  return found
}

function isMade(value: AnyNode): boolean {
  if (value.type === 'CallExpression') {
    const { callee, arguments: given } = value
    const isAssign = callee.type === 'MemberExpression' && !callee.computed && callee.property.type === 'Identifier'
    return isAssign && (callee.property as { name: string }).name === 'assign' && given[0]?.type === 'ObjectExpression'
  }
  return /^(?:Object|Array|Binary)Expression$/.test(value.type)
}
