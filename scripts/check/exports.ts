/** What files export, and who uses it. */
import type { Files } from './files.ts'
import { type Edge, graphOf } from './imports.ts'
import { isNode, type Node, nameOf, nodesOf, sourceOf, visit } from './syntax.ts'

export interface Export {
  readonly path: string
  readonly line: number
  /** `default` for the default export. */
  readonly name: string
  /** Whether it is a type that another export of the file is declared with. */
  readonly isPartOfAnother: boolean
}

/** What a file exports by name, once where a function is overloaded or a type has a value's name. */
export function exportsOf(path: string, text: string): Export[] {
  const { tree, lineAt } = sourceOf(text)
  const found = new Map<string, Export>()
  const add = (node: Node, name: string | undefined): void => {
    if (name === undefined || found.has(name)) return
    const isPartOfAnother = typeDeclarations.has(node.type) && isInSignature(name, node, tree)
    found.set(name, { path, line: lineAt(node.start), name, isPartOfAnother })
  }
  for (const statement of nodesOf(tree.body)) {
    if (statement.type === 'ExportDefaultDeclaration') add(statement, 'default')
    if (statement.type === 'ExportAllDeclaration') add(statement, nameOf(statement.exported))
    if (statement.type !== 'ExportNamedDeclaration') continue
    for (const specifier of nodesOf(statement.specifiers)) add(specifier, nameOf(specifier.exported))
    const { declaration } = statement
    if (!isNode(declaration)) continue
    if (declaration.type !== 'VariableDeclaration') add(declaration, nameOf(declaration.id))
    else for (const { id } of nodesOf(declaration.declarations)) for (const name of boundBy(id)) add(id as Node, name)
  }
  return [...found.values()]
}

const typeDeclarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'])

/** Whether an exported statement other than the type's own names it outside the bodies of functions. */
function isInSignature(name: string, own: Node, tree: Node): boolean {
  return nodesOf(tree.body).some(
    (statement) =>
      /^Export(Named|Default)Declaration$/.test(statement.type) &&
      statement.declaration !== own &&
      signatureNames(statement).has(name),
  )
}

const knownNames = new WeakMap<Node, Set<string>>()

function signatureNames(statement: Node): Set<string> {
  let names = knownNames.get(statement)
  if (names !== undefined) return names
  names = new Set()
  knownNames.set(statement, names)
  visit(statement, (node, around) => {
    if (node.type === 'Identifier' && !around.some(({ type }) => type === 'BlockStatement')) names.add(nameOf(node)!)
  })
  return names
}

/** The names that a pattern declares. */
function boundBy(pattern: unknown): string[] {
  if (!isNode(pattern)) return []
  switch (pattern.type) {
    case 'ObjectPattern':
      return nodesOf(pattern.properties).flatMap((property) => boundBy(property.value ?? property.argument))
    case 'ArrayPattern':
      return nodesOf(pattern.elements).flatMap(boundBy)
    case 'AssignmentPattern':
      return boundBy(pattern.left)
    case 'RestElement':
      return boundBy(pattern.argument)
    default:
      return nameOf(pattern) === undefined ? [] : [nameOf(pattern)!]
  }
}

export interface UnusedExports {
  /** No other file imports them. */
  readonly byAll: readonly Export[]
  /** Only tests import them. */
  readonly butByTests: readonly Export[]
}

/**
 * Exports of src that no other file of src, jobs or scripts imports. A type that another export of its file is declared
 * with is used: a caller may want to name what a function returns.
 *
 * @param files All of the project, tests too.
 * @param isEntry Whether an export is used in a way that no import shows.
 */
export function unusedExports(files: Files, isEntry: (path: string, name: string) => boolean): UnusedExports {
  const byCode = new Map<string, Set<string>>()
  const byTests = new Map<string, Set<string>>()
  for (const [path, edges] of graphOf(files)) {
    for (const edge of edges) if (edge.to !== path) addNames(path.startsWith('test/') ? byTests : byCode, edge)
  }
  const byAll: Export[] = []
  const butByTests: Export[] = []
  for (const [path, text] of files) {
    if (!path.startsWith('src/') || path.endsWith('.d.ts')) continue
    for (const one of exportsOf(path, text)) {
      if (one.isPartOfAnother || isEntry(path, one.name) || isIn(byCode, one)) continue
      if (isIn(byTests, one)) butByTests.push(one)
      else byAll.push(one)
    }
  }
  return { byAll, butByTests }
}

function addNames(uses: Map<string, Set<string>>, { to, names }: Edge): void {
  const used = uses.get(to) ?? new Set()
  uses.set(to, used)
  for (const name of names) used.add(name)
}

function isIn(uses: ReadonlyMap<string, ReadonlySet<string>>, { path, name }: Export): boolean {
  const used = uses.get(path)
  return used !== undefined && (used.has(name) || used.has('*'))
}
