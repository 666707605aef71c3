import type { AnyNode, Identifier, ObjectPattern, Pattern } from 'acorn'
import { type FunctionNode, parseFunction } from './function-syntax.ts'
import { childrenOf, isMerelyAName } from './syntax.ts'

/**
 * The names that a function reads of one of its parameters, found in its text: so that columns which no handler reads
 * are not decoded. Exact or nothing: where the parameter is used in any other way than `e.name`, `e['name']` or by
 * destructuring it by name (it is handed on, compared, searched by a computed name), the answer is `all`. Another
 * variable of the parameter's name inside the function counts as such a use.
 */
export function fieldsRead(fn: (...parameters: never) => unknown, parameterIndex: number): ReadonlySet<string> | 'all' {
  const definition = parseFunction(fn.toString())
  if (definition === undefined) return 'all'
  const names = new Set<string>()
  for (const parameter of definition.params.slice(0, parameterIndex)) if (parameter.type === 'RestElement') return 'all'
  const parameter = definition.params[parameterIndex]
  if (parameter?.type === 'ObjectPattern' && !collectPattern(parameter, names)) return 'all'
  if (parameter !== undefined && parameter.type !== 'Identifier' && parameter.type !== 'ObjectPattern') return 'all'
  const name = parameter?.type === 'Identifier' ? parameter.name : undefined
  return collectUses(definition, parameter, name, names) ? names : 'all'
}

/**
 * Walks the whole function, adding the names that are read of `name`.
 *
 * @returns Whether every use of it was understood.
 */
function collectUses(
  definition: FunctionNode,
  parameter: Pattern | undefined,
  name: string | undefined,
  names: Set<string>,
): boolean {
  let understood = true
  const visit = (node: AnyNode, parents: readonly AnyNode[]): void => {
    if (!understood) return
    if (node.type === 'WithStatement') understood = false
    else if (node.type === 'Identifier') understood &&= node === parameter || isHarmless(node, parents, name, names)
    for (const child of childrenOf(node)) visit(child, [node, ...parents])
  }
  visit(definition, [])
  return understood
}

function isHarmless(
  identifier: Identifier,
  [parent, grandparent]: readonly AnyNode[],
  name: string | undefined,
  names: Set<string>,
): boolean {
  if (isMerelyAName(identifier, parent)) return true
  // `eval` can read anything, and so can `arguments`.
  if (identifier.name === 'eval' || identifier.name === 'arguments') return false
  if (identifier.name !== name) return true
  if (parent?.type === 'MemberExpression' && parent.object === identifier) {
    const field = propertyName(parent.property, parent.computed)
    if (field === undefined) return false
    // `e.toString()` hands the event to a function; `e.name.trim()` doesn't.
    if (grandparent?.type === 'CallExpression' && grandparent.callee === parent) return false
    if (grandparent?.type === 'TaggedTemplateExpression' && grandparent.tag === parent) return false
    names.add(field)
    return true
  }
  if (parent?.type === 'VariableDeclarator' && parent.init === identifier && parent.id.type === 'ObjectPattern') {
    return collectPattern(parent.id, names)
  }
  return (
    parent?.type === 'AssignmentExpression' &&
    parent.right === identifier &&
    parent.operator === '=' &&
    parent.left.type === 'ObjectPattern' &&
    grandparent?.type === 'ExpressionStatement' &&
    collectPattern(parent.left, names)
  )
}

/** Adds the names that `{ a, b: c, d: { … } }` takes of an object. False where they are not known. */
function collectPattern(pattern: ObjectPattern, names: Set<string>): boolean {
  for (const property of pattern.properties) {
    if (property.type === 'RestElement') return false
    const name = propertyName(property.key, property.computed)
    if (name === undefined) return false
    names.add(name)
  }
  return true
}

function propertyName(node: AnyNode, computed: boolean): string | undefined {
  if (!computed && node.type === 'Identifier') return node.name
  if (node.type === 'Literal' && (typeof node.value === 'string' || typeof node.value === 'number'))
    return String(node.value)
  return undefined
}
