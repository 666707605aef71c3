/** What TypeScript files import, and the graph that makes of them. */
import { posix } from 'node:path'
import type { Files } from './files.ts'
import { isNode, type Node, nameOf, nodesOf, sourceOf, visit } from './syntax.ts'

export interface Import {
  readonly specifier: string
  /** Gone once types are stripped; `import { type A }` is not, its module is still loaded. */
  readonly typeOnly: boolean
  /** Loaded when it is reached, not when the module is. */
  readonly dynamic: boolean
  readonly line: number
  /** The exports of the other module that are named: `default` among them, `*` where any of them may be used. */
  readonly names: readonly string[]
}

/** All imports of a TypeScript file: static, re-exports, `import()` and `import('…')` within a type. */
export function importsOf(text: string): Import[] {
  const { tree, lineAt } = sourceOf(text)
  const found: Import[] = []
  /** Names taken from an `import()`, which is found after the expression that names them. */
  const taken = new Map<Node, readonly string[]>()
  const add = (node: Node, typeOnly: boolean, dynamic: boolean, names: readonly string[]): void => {
    const { source } = node
    if (!isNode(source) || typeof source.value !== 'string') return
    found.push({ specifier: source.value, typeOnly, dynamic, line: lineAt(node.start), names })
  }
  visit(tree, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        return add(node, node.importKind === 'type', false, nodesOf(node.specifiers).map(importedName))
      case 'ExportAllDeclaration':
        return add(node, node.exportKind === 'type', false, ['*'])
      case 'ExportNamedDeclaration':
        return add(node, node.exportKind === 'type', false, nodesOf(node.specifiers).map(reexportedName))
      case 'VariableDeclarator':
        return takeByPattern(node.id, node.init, taken)
      case 'MemberExpression':
        return takeByMember(node, taken)
      case 'ImportExpression':
        return add(node, false, true, taken.get(node) ?? ['*'])
      case 'TSImportType':
        return add(node, true, true, [outermostName(node.qualifier)])
    }
  })
  return found
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  return specifier.type === 'ImportSpecifier' ? (nameOf(specifier.imported) ?? '*') : '*'
}

function reexportedName(specifier: Node): string {
  return nameOf(specifier.local) ?? '*'
}

/** `A` of `import('…').A.b`. */
function outermostName(qualifier: unknown): string {
  let at = qualifier
  while (isNode(at) && at.type === 'TSQualifiedName') at = at.left
  return nameOf(at) ?? '*'
}

/** `const { a, b } = await import('…')`, and the same of several with `Promise.all([…])`. */
function takeByPattern(pattern: unknown, value: unknown, taken: Map<Node, readonly string[]>): void {
  if (!isNode(pattern) || !isNode(value)) return
  if (value.type === 'AwaitExpression') takeByPattern(pattern, value.argument, taken)
  if (value.type === 'ImportExpression' && pattern.type === 'ObjectPattern') {
    taken.set(
      value,
      nodesOf(pattern.properties).map(({ key, computed }) => (computed === true ? '*' : (nameOf(key) ?? '*'))),
    )
  }
  if (value.type === 'CallExpression' && pattern.type === 'ArrayPattern' && isPromiseAll(value.callee)) {
    const [list] = nodesOf(value.arguments)
    const patterns = pattern.elements as unknown[]
    if (list?.type === 'ArrayExpression')
      for (const [index, element] of (list.elements as unknown[]).entries())
        takeByPattern(patterns[index], element, taken)
  }
}

function isPromiseAll(callee: unknown): boolean {
  return isNode(callee) && nameOf(callee.object) === 'Promise' && nameOf(callee.property) === 'all'
}

/** `(await import('…')).a`. */
function takeByMember(member: Node, taken: Map<Node, readonly string[]>): void {
  let object = member.object
  while (isNode(object) && object.type === 'ParenthesizedExpression') object = object.expression
  if (!isNode(object) || object.type !== 'AwaitExpression' || !isNode(object.argument)) return
  if (object.argument.type === 'ImportExpression' && member.computed !== true)
    taken.set(object.argument, [nameOf(member.property) ?? '*'])
}

/** An import of another file of the project. */
export interface Edge extends Import {
  readonly to: string
}

/** What each file imports of the others. Packages and what is not in `files` are left out. */
export function graphOf(files: Files): Map<string, Edge[]> {
  const graph = new Map<string, Edge[]>()
  for (const [path, text] of files) {
    const edges: Edge[] = []
    for (const one of importsOf(text)) {
      const to = targetOf(path, one.specifier)
      if (to !== undefined && files.has(to)) edges.push({ ...one, to })
    }
    graph.set(path, edges)
  }
  return graph
}

/** The path of what a file of the project imports; undefined for packages. Jobs import the public door by its name. */
export function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  return specifier === 'refold' ? 'src/index.ts' : undefined
}
