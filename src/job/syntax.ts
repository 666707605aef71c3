import { type AnyNode, type Identifier, type ImportDeclaration, type Pattern, parse } from 'acorn'

/** What is common to all that read code as a tree. */

export function* childrenOf(node: AnyNode): Iterable<AnyNode> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) yield* value.filter(isNode)
    else if (isNode(value)) yield value
  }
}

/** Every node below and with `node`, parents first. */
export function visit(node: AnyNode, see: (node: AnyNode) => void): void {
  see(node)
  for (const child of childrenOf(node)) visit(child, see)
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** `e.name`, `{ name: … }`, a method's name, a label, a name that a module imports or exports: not a variable. */
export function isMerelyAName(identifier: Identifier, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.property === identifier && !parent.computed
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key === identifier && !parent.computed
    case 'ImportSpecifier':
      return parent.imported === identifier
    case 'ExportSpecifier':
      return parent.exported === identifier
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
      return true
    default:
      return false
  }
}

/**
 * The syntax of a minified module as text, without what has no meaning: places, parentheses, the spelling of literals,
 * the order of imported names, and which short names variables were given.
 *
 * A minifier assigns names by how often characters occur, so that two spellings of the same code may become `a, b`
 * and `b, a`; but it gives each name to the same variables. Numbered as they first occur, the names are the same. Names
 * that are declared nowhere are global ones and stay.
 */
export function describeSyntax(code: string): string {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' })
  const declared = new Set<string>()
  visit(program, (node) => {
    for (const name of declaredBy(node)) declared.add(name)
  })
  const numbers = new Map<string, number>()
  const numberOf = (name: string) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size)
    return numbers.get(name)!
  }
  const describeName = (node: AnyNode, parent: AnyNode | undefined): unknown => {
    if (node.type === 'PrivateIdentifier') return { private: numberOf(`#${node.name}`) }
    if (node.type !== 'Identifier') return undefined
    if (isLabel(parent)) return { label: numberOf(`${node.name}:`) }
    return isMerelyAName(node, parent) || !declared.has(node.name)
      ? { name: node.name }
      : { variable: numberOf(node.name) }
  }
  const describe = (value: unknown, parent?: AnyNode): unknown => {
    if (Array.isArray(value)) return value.map((item) => describe(item, parent))
    if (typeof value === 'bigint') return { bigint: String(value) }
    if (!isNode(value)) return value
    const name = describeName(value, parent)
    if (name !== undefined) return name
    return Object.fromEntries(fieldsOf(value).map(([field, inner]) => [field, describe(inner, value)]))
  }
  return JSON.stringify(describe(program))
}

function fieldsOf(node: AnyNode): [string, unknown][] {
  const silent = ['start', 'end', 'shorthand', ...(node.type === 'Literal' ? ['raw'] : [])]
  const spoken = Object.entries(node).filter(([field]) => !silent.includes(field))
  if (node.type !== 'ImportDeclaration') return spoken
  const specifiers = [...node.specifiers].sort((a, b) => (importedName(a) < importedName(b) ? -1 : 1))
  return spoken.map(([field, value]) => [field, field === 'specifiers' ? specifiers : value])
}

function importedName(specifier: ImportDeclaration['specifiers'][number]): string {
  if (specifier.type !== 'ImportSpecifier') return ''
  return specifier.imported.type === 'Identifier' ? specifier.imported.name : String(specifier.imported.value)
}

function isLabel(parent: AnyNode | undefined): boolean {
  return (
    parent?.type === 'LabeledStatement' || parent?.type === 'BreakStatement' || parent?.type === 'ContinueStatement'
  )
}

function declaredBy(node: AnyNode): string[] {
  switch (node.type) {
    case 'VariableDeclarator':
      return namesIn(node.id)
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [...(node.id ? [node.id.name] : []), ...node.params.flatMap(namesIn)]
    case 'ClassDeclaration':
    case 'ClassExpression':
      return node.id ? [node.id.name] : []
    case 'CatchClause':
      return node.param ? namesIn(node.param) : []
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
      return [node.local.name]
    default:
      return []
  }
}

export function namesIn(pattern: Pattern | null): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name]
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        namesIn(property.type === 'RestElement' ? property : property.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap(namesIn)
    case 'RestElement':
      return namesIn(pattern.argument)
    case 'AssignmentPattern':
      return namesIn(pattern.left)
    default:
      return []
  }
}
