import type { AnyNode, Program } from 'acorn'
import { isFunction } from './outer-writes.ts'
import { childrenOf, isMerelyAName } from './syntax.ts'

/** Something that a function uses and that a fold can't have. */
export interface OuterUse {
  readonly node: AnyNode
  /** What it does, as the end of a sentence. */
  readonly what: string
}

/** Modules of Node whose results depend on the machine, the moment or the process. */
const hostModules =
  /^(?:node:)?(?:fs|os|child_process|net|tls|http|https|http2|dns|dgram|worker_threads|cluster|perf_hooks|timers|process|v8|vm|readline|repl|tty|inspector)(?:\/|$)/
/** Of modules that have other functions as well. */
const hostFunctions: Readonly<Record<string, RegExp>> = {
  crypto: /^(?:random|generate|getRandomValues|webcrypto|createDiffieHellman|createECDH)/,
}

/** By local name: where it was imported from, as `readFileSync of node:fs`. */
export function importedFromHost(program: Program): Map<string, string> {
  const names = new Map<string, string>()
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue
    const source = String(statement.source.value)
    const some = hostFunctions[source.replace(/^node:/, '')]
    for (const specifier of statement.specifiers) {
      const name =
        specifier.type === 'ImportSpecifier' && specifier.imported.type === 'Identifier'
          ? specifier.imported.name
          : null
      if (hostModules.test(source) || (name !== null && some?.test(name))) {
        names.set(specifier.local.name, name === null ? source : `${name} of ${source}`)
      }
    }
  }
  return names
}

/** What a function uses of the host, and where it waits for what comes after the fold. */
export function outerUses(fn: AnyNode, host: ReadonlyMap<string, string>): OuterUse[] {
  const found: OuterUse[] = []
  const look = (node: AnyNode, parent: AnyNode | undefined): void => {
    if (isFunction(node) && 'async' in node && node.async) {
      found.push({ node, what: "it is async, and a fold can't wait: what it does later would be lost" })
    } else if (node.type === 'Identifier' && !isMerelyAName(node, parent)) {
      const from = host.get(node.name)
      if (from !== undefined) found.push({ node, what: `it uses ${from}, which may give something else the next time` })
      if (node.name === 'Promise') {
        found.push({ node, what: "it makes a promise, and a fold can't wait: what is done later would be lost" })
      }
    }
    for (const child of childrenOf(node)) look(child, node)
  }
  look(fn, undefined)
  return found
}
