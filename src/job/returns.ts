import type { AnyNode, Expression } from 'acorn'
import type { MayReturn } from '../model/plan.ts'
import { type FunctionNode, parseFunction } from './function-syntax.ts'
import { childrenOf } from './syntax.ts'

/**
 * What a handler may return, found in its text, so that only what may return something is checked while events are
 * folded:
 *
 * - `nothing`: it has no `return` with a value, or what it returns is the value of an assignment, as that of
 *   `(s, e) => s.sum += e.amount`: nobody means that value.
 * - `by-product`: it returns what a call gives, as `(s, e) => s.items.push(e.item)`, or its text is not known. A number
 *   is then nobody's intention, an object may be.
 * - `value`: it returns an expression that does nothing else, as `(s, e) => ({ ...s, sum: s.sum + e.amount })`.
 */
export function returnsOf(fn: (...parameters: never) => unknown): MayReturn {
  const definition = parseFunction(fn.toString())
  if (definition === undefined) return 'by-product'
  if (definition.async || definition.generator) return 'value'
  if (definition.body.type !== 'BlockStatement') return kindOf(definition.body)
  return most(returnedBy(definition).map(kindOf))
}

const degrees: readonly MayReturn[] = ['nothing', 'by-product', 'value']

function most(kinds: readonly MayReturn[]): MayReturn {
  return degrees[Math.max(0, ...kinds.map((kind) => degrees.indexOf(kind)))]!
}

/** The values of a function's own `return` statements. */
function returnedBy(definition: FunctionNode): Expression[] {
  const found: Expression[] = []
  const look = (node: AnyNode): void => {
    if (node.type === 'ReturnStatement' && node.argument) found.push(node.argument)
    if (/Function/.test(node.type) || /^Class/.test(node.type)) return
    for (const child of childrenOf(node)) look(child)
  }
  for (const child of childrenOf(definition.body)) look(child)
  return found
}

function kindOf(node: Expression): MayReturn {
  switch (node.type) {
    case 'AssignmentExpression':
    case 'UpdateExpression':
      return 'nothing'
    case 'UnaryExpression':
      return node.operator === 'void' || node.operator === 'delete' ? 'nothing' : 'value'
    case 'Identifier':
      return node.name === 'undefined' ? 'nothing' : 'value'
    case 'ParenthesizedExpression':
    case 'ChainExpression':
      return kindOf(node.expression)
    case 'SequenceExpression':
      return kindOf(node.expressions.at(-1)!)
    case 'ConditionalExpression':
      return most([node.consequent, node.alternate].filter((branch) => !isEmpty(branch)).map(kindOf))
    case 'LogicalExpression':
      // `condition && (s.n += 1)`: where the condition is the value, nothing was done.
      return kindOf(node.right)
    case 'CallExpression':
    case 'TaggedTemplateExpression':
      return 'by-product'
    default:
      return 'value'
  }
}

/** `condition ? s.n++ : null`: what there is to write where nothing is to be done. */
function isEmpty(node: Expression): boolean {
  return node.type === 'Literal' && (node.value === 0 || node.value === false || node.raw === 'null')
}
