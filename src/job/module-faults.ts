import { type AnyNode, type CallExpression, type Expression, type Program, parse } from 'acorn'
import { importedFromHost, type OuterUse, outerUses } from './outer-uses.ts'
import { addDeclaration, isFunction, type OuterWrite, outerWrites } from './outer-writes.ts'
import { calledName, importedFromRefold } from './pure.ts'
import { childrenOf, visit } from './syntax.ts'

/** What functions that views may call do and may not. */
export interface OuterFaults {
  /** To what outlives an event: what such a function sees depends on which events its thread folded before. */
  readonly writes: readonly OuterWrite[]
  readonly uses: readonly OuterUse[]
}

/**
 * The faults of all functions that views of a job may call: those in its definitions, and those of its modules that these name.
 *
 * @param code The job as one module.
 */
export function moduleFaults(code: string): OuterFaults {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
  const imported = importedFromRefold(program)
  const module = declarationsOf(program)
  const search = new ReachableFunctions(module, importedFromHost(program))
  visit(program, (node) => {
    if (node.type !== 'CallExpression' || !/^define(?:Log|View)$/.test(calledName(node, imported) ?? '')) return
    for (const argument of node.arguments) search.look(argument, true)
  })
  return search.faults()
}

interface Declarations {
  /** By name: what it is declared as. */
  readonly nodes: ReadonlyMap<string, AnyNode>
  readonly inits: ReadonlyMap<string, Expression | null>
}

function declarationsOf(program: Program): Declarations {
  const nodes = new Map<string, AnyNode>()
  const inits = new Map<string, Expression | null>()
  for (const statement of program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (!declared) continue
    addDeclaration(declared, (pattern, init) => {
      if (pattern?.type !== 'Identifier') return
      inits.set(pattern.name, init)
      nodes.set(pattern.name, init ?? declared)
    })
    if (declared.type === 'FunctionDeclaration' && declared.id) nodes.set(declared.id.name, declared)
  }
  return { nodes, inits }
}

/** Functions that are called while views are folded, by the names that reach them. */
class ReachableFunctions {
  readonly #module: Declarations
  readonly #seen = new Set<AnyNode>()
  readonly #host: ReadonlyMap<string, string>
  readonly #writes = new Map<AnyNode, OuterWrite>()
  readonly #uses = new Map<AnyNode, OuterUse>()

  /** @param host What is imported from the host, by local name. */
  constructor(module: Declarations, host: ReadonlyMap<string, string>) {
    this.#module = module
    this.#host = host
  }

  faults(): OuterFaults {
    return { writes: inOrder(this.#writes), uses: inOrder(this.#uses) }
  }

  /** @param isLoading Whether the expression is evaluated while the job is loaded; else in a function. */
  look(node: AnyNode, isLoading: boolean): void {
    if (isFunction(node)) {
      this.#lookAtFunction(node)
      return
    }
    if (isLoading && node.type === 'CallExpression') {
      this.#lookAtMaker(node)
      for (const argument of node.arguments) this.look(argument, true)
      return
    }
    if (node.type === 'Identifier') this.#follow(node.name)
    for (const child of partsOf(node)) this.look(child, isLoading)
  }

  /** What a name of the module was made by: that was evaluated while the job was loaded. */
  #follow(name: string): void {
    const declared = this.#module.nodes.get(name)
    if (declared === undefined || this.#seen.has(declared)) return
    this.#seen.add(declared)
    this.look(declared, true)
  }

  #lookAtFunction(fn: AnyNode): void {
    this.#seen.add(fn)
    this.#note(fn)
    visit(fn, (node) => {
      if (node.type === 'Identifier') this.#follow(node.name)
    })
  }

  /** A function that is called while the job is loaded may make functions of views, which share its variables. */
  #lookAtMaker({ callee }: CallExpression): void {
    const maker = callee.type === 'Identifier' ? this.#module.nodes.get(callee.name) : callee
    if (maker === undefined || !isFunction(maker)) {
      this.look(callee, true)
      return
    }
    if (this.#seen.has(maker)) return
    this.#seen.add(maker)
    for (const fn of madeBy(maker)) this.#lookAtFunction(fn)
  }

  #note(fn: AnyNode): void {
    for (const write of outerWrites(fn, (name) => this.#module.inits.get(name))) this.#writes.set(write.node, write)
    for (const use of outerUses(fn, this.#host)) this.#uses.set(use.node, use)
  }
}

/** In that of the code. */
function inOrder<T extends { readonly node: AnyNode }>(found: ReadonlyMap<AnyNode, T>): T[] {
  return [...found.values()].sort((a, b) => a.node.start - b.node.start)
}

/** Names of properties are no variables. */
function partsOf(node: AnyNode): AnyNode[] {
  if (node.type === 'MemberExpression' && !node.computed) return [node.object]
  if (
    (node.type === 'Property' || node.type === 'PropertyDefinition' || node.type === 'MethodDefinition') &&
    !node.computed
  )
    return node.value ? [node.value] : []
  return [...childrenOf(node)]
}

/** The functions in a maker that may outlive its call: all but those it hands to another function, as callbacks are. */
function madeBy(maker: AnyNode): AnyNode[] {
  const made: AnyNode[] = []
  const search = (node: AnyNode, parent: AnyNode | null): void => {
    if (node !== maker && isFunction(node)) {
      const isCallback = parent?.type === 'CallExpression' && parent.arguments.some((argument) => argument === node)
      if (!isCallback) made.push(node)
      return
    }
    for (const child of childrenOf(node)) search(child, node)
  }
  search(maker, null)
  return made
}
