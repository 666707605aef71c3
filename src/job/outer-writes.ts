import type { AnyNode, CallExpression, Expression, Identifier, Pattern } from 'acorn'
import { childrenOf, namesIn } from './syntax.ts'

/** A write to something that outlives the call of a function, and so the event. */
export interface OuterWrite {
  readonly node: AnyNode
  /** What is done to what, as the subject of a sentence. */
  readonly what: string
}

/** Methods that only containers have, and that change them. */
const arrayMutators = new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'copyWithin'])
/** Methods that change a container, where it is known to be one: other objects may have methods of these names. */
const containerMutators = new Set(['set', 'add', 'delete', 'clear', 'sort', 'reverse', 'fill'])
const containers = /^(?:Map|Set|WeakMap|WeakSet|Array|(?:Big)?(?:Ui|I)nt\d+(?:Clamped)?Array|Float\d+Array)$/

/** Declared names of one function or block: where their values come from, as far as the text shows it. */
type Names = Map<string, Expression | null>

/** What a name of an enclosing scope was made by; undefined where it is not known. */
export type InitOf = (name: string) => Expression | null | undefined

/**
 * The writes in a function to what is not its own: variables of the module or of a function around it, and objects that
 * those hold. Objects that reach the function in other ways are not followed.
 */
export function outerWrites(fn: AnyNode, initOf: InitOf): OuterWrite[] {
  const found: OuterWrite[] = []
  walk(fn, [], { found, initOf })
  return found
}

interface Search {
  readonly found: OuterWrite[]
  readonly initOf: InitOf
}

function walk(node: AnyNode, scopes: readonly Names[], search: Search): void {
  const own = opensScope(node) ? [...scopes, declaredIn(node)] : scopes
  look(node, own, search)
  for (const child of childrenOf(node)) walk(child, own, search)
}

export function isFunction(node: AnyNode): boolean {
  return (
    node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression' || node.type === 'FunctionDeclaration'
  )
}

function opensScope(node: AnyNode): boolean {
  return (
    isFunction(node) ||
    /^(?:BlockStatement|StaticBlock|SwitchStatement|For(?:In|Of)?Statement|CatchClause|ClassExpression|ClassDeclaration)$/.test(
      node.type,
    )
  )
}

/** Names that a node declares for what is within it. Those of blocks are found in each block, `var` in the whole function. */
function declaredIn(node: AnyNode): Names {
  const names: Names = new Map()
  const add = (pattern: Pattern | null | undefined, init: Expression | null) => {
    for (const name of namesIn(pattern ?? null)) names.set(name, pattern?.type === 'Identifier' ? init : null)
  }
  if (isFunction(node)) {
    const fn = node as Extract<AnyNode, { type: 'FunctionExpression' }>
    if (fn.id) add(fn.id, null)
    for (const parameter of fn.params) add(parameter, null)
    addVariables(fn.body, add)
  } else if (node.type === 'CatchClause') add(node.param, null)
  else if (node.type === 'ClassExpression' && node.id) add(node.id, null)
  for (const child of childrenOf(node)) addDeclaration(child, add)
  return names
}

type Add = (pattern: Pattern | null | undefined, init: Expression | null) => void

export function addDeclaration(node: AnyNode, add: Add): void {
  if (node.type === 'VariableDeclaration') {
    for (const { id, init } of node.declarations) add(id, init ?? null)
  } else if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') {
    if (node.id) add(node.id, null)
  } else if (node.type === 'SwitchCase') {
    for (const child of childrenOf(node)) addDeclaration(child, add)
  }
}

/** `var` belongs to the function, however deep it is written. */
function addVariables(node: AnyNode, add: Add): void {
  if (isFunction(node)) return
  if (node.type === 'VariableDeclaration' && node.kind === 'var') addDeclaration(node, add)
  for (const child of childrenOf(node)) addVariables(child, add)
}

function look(node: AnyNode, scopes: readonly Names[], search: Search): void {
  const report = (at: AnyNode, what: string) => search.found.push({ node: at, what })
  const outer = (expression: AnyNode) => outerRoot(expression, scopes)
  switch (node.type) {
    case 'AssignmentExpression':
      for (const target of targetsOf(node.left)) lookAtTarget(target, outer, report)
      break
    case 'UpdateExpression':
      lookAtTarget(node.argument, outer, report)
      break
    case 'UnaryExpression':
      if (node.operator === 'delete') lookAtTarget(node.argument, outer, report)
      break
    case 'ForInStatement':
    case 'ForOfStatement':
      if (node.left.type !== 'VariableDeclaration')
        for (const target of targetsOf(node.left)) lookAtTarget(target, outer, report)
      break
    case 'CallExpression':
      lookAtCall(node, outer, search.initOf, report)
  }
}

type Outer = (expression: AnyNode) => Identifier | null
type Report = (at: AnyNode, what: string) => void

function lookAtTarget(target: AnyNode, outer: Outer, report: Report): void {
  if (target.type === 'Identifier') {
    if (outer(target) === target && !isReserved(target.name))
      report(target, `it writes to ${target.name}, a variable outside of it`)
    return
  }
  const root = target.type === 'MemberExpression' ? outer(target) : null
  if (root !== null) report(target, `it writes to a property of ${root.name}, which is outside of it`)
}

/** Of the language, or of nobody: writing to those throws. */
function isReserved(name: string): boolean {
  return name === 'undefined' || name === 'arguments'
}

function lookAtCall(call: CallExpression, outer: Outer, initOf: InitOf, report: Report): void {
  const { callee } = call
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return
  const method = callee.property.name
  if (callee.object.type === 'Identifier' && /^(?:Object|Reflect)$/.test(callee.object.name)) {
    const [target] = call.arguments
    const writes = /^(?:assign|definePropert(?:y|ies)|setPrototypeOf|set|deleteProperty)$/.test(method)
    const root = writes && target !== undefined ? outer(target) : null
    if (root !== null) report(call, `it writes to ${root.name}, which is outside of it`)
    return
  }
  const root = outer(callee.object)
  if (root === null) return
  const init = callee.object.type === 'Identifier' ? initOf(root.name) : undefined
  if (arrayMutators.has(method) || (containerMutators.has(method) && isContainer(init))) {
    report(call, `it changes ${root.name}, which is outside of it, by ${method}()`)
  } else if ((method === 'test' || method === 'exec') && isStateful(init)) {
    report(
      call,
      `it searches with ${root.name}, which remembers where the last search ended, as it has the flag g or y`,
    )
  } else if (method === 'next') {
    report(call, `it takes the next value of ${root.name}, which is outside of it`)
  }
}

function isContainer(init: Expression | null | undefined): boolean {
  if (init?.type === 'ArrayExpression') return true
  return init?.type === 'NewExpression' && init.callee.type === 'Identifier' && containers.test(init.callee.name)
}

function isStateful(init: Expression | null | undefined): boolean {
  if (init?.type === 'Literal') return /[gy]/.test(init.regex?.flags ?? '')
  const flags =
    init?.type === 'NewExpression' && init.callee.type === 'Identifier' && init.callee.name === 'RegExp'
      ? init.arguments[1]
      : undefined
  return flags?.type === 'Literal' && /[gy]/.test(String(flags.value))
}

/** The variable that an expression begins with where it is not the function's own, nor made of anything but others'. */
function outerRoot(expression: AnyNode, scopes: readonly Names[]): Identifier | null {
  let node = expression
  for (;;) {
    if (node.type === 'MemberExpression') node = node.object
    else if (node.type === 'ChainExpression' || node.type === 'ParenthesizedExpression') node = node.expression
    else if (node.type === 'Identifier') {
      const { name } = node
      const scope = scopes.findLast((names) => names.has(name))
      if (scope === undefined) return node
      const init = scope.get(name)
      // `const entry = table[e.key]` holds what the table holds.
      if (init == null || !/^(?:Identifier|MemberExpression)$/.test(init.type)) return null
      return outerRoot(
        init,
        scopes.slice(0, scopes.indexOf(scope) + 1).map((names) => without(names, name)),
      )
    } else return null
  }
}

function without(names: Names, name: string): Names {
  const others = new Map(names)
  if (others.has(name)) others.set(name, null)
  return others
}

function targetsOf(pattern: AnyNode): AnyNode[] {
  switch (pattern.type) {
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        targetsOf(property.type === 'RestElement' ? property.argument : property.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : targetsOf(element)))
    case 'AssignmentPattern':
      return targetsOf(pattern.left)
    case 'RestElement':
      return targetsOf(pattern.argument)
    default:
      return [pattern]
  }
}
