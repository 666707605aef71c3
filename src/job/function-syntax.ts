import { type AnyNode, type ArrowFunctionExpression, type FunctionExpression, parse } from 'acorn'

export type FunctionNode = ArrowFunctionExpression | FunctionExpression

/** The function itself; undefined for native and bound functions, classes, and what else is not a function's text. */
export function parseFunction(text: string): FunctionNode | undefined {
  // A method's text is one only within an object.
  return parseExpression(`(${text}\n)`) ?? parseExpression(`({${text}\n})`)
}

function parseExpression(text: string): FunctionNode | undefined {
  let expression: AnyNode | undefined
  try {
    const [statement] = parse(text, { ecmaVersion: 'latest', sourceType: 'script' }).body
    expression = statement?.type === 'ExpressionStatement' ? statement.expression : undefined
  } catch {
    // Not in this form; the caller tries the other or assumes that everything is read.
    return undefined
  }
  if (expression?.type === 'ArrowFunctionExpression' || expression?.type === 'FunctionExpression') return expression
  if (expression?.type !== 'ObjectExpression' || expression.properties.length !== 1) return undefined
  const [property] = expression.properties
  const value = property?.type === 'Property' ? property.value : undefined
  return value?.type === 'FunctionExpression' && property?.type === 'Property' && property.method ? value : undefined
}
