/** Syntax trees of TypeScript files, for the checks of the code base. */
import { parseAst } from 'vitest/node'

export interface Node {
  readonly type: string
  /** Offsets in the text, in UTF-16 units; `end` is exclusive. */
  readonly start: number
  readonly end: number
  readonly [property: string]: unknown
}

export interface Source {
  readonly tree: Node
  /** The line of an offset, counted from 1. */
  lineAt(offset: number): number
}

/** Several checks read the same files in one run. */
const parsed = new Map<string, Source>()

/** The syntax tree of a TypeScript or JavaScript file. Throws where the text has a syntax error. */
export function sourceOf(text: string): Source {
  let source = parsed.get(text)
  if (source === undefined) {
    source = { tree: parseAst(text, { lang: 'ts' }) as unknown as Node, lineAt: lineFinder(text) }
    parsed.set(text, source)
  }
  return source
}

/** The number of lines as an editor counts them: a last line break begins no further line. */
export function lineCountOf(text: string): number {
  return text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (starts[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** Elements of a list of nodes, without the holes of array patterns; none where the property is no list. */
export function nodesOf(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The name of an identifier, a private name or a literal key; undefined for anything computed. */
export function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (typeof node.name === 'string') return node.type === 'PrivateIdentifier' ? `#${node.name}` : node.name
  return node.type === 'Literal' ? String(node.value) : undefined
}

/**
 * Calls `found` for every node of a tree, parents first.
 *
 * @param found Gets the node and those around it, outermost first. The list is reused: copy what is kept.
 */
export function visit(tree: Node, found: (node: Node, around: readonly Node[]) => void): void {
  const around: Node[] = []
  const enter = (node: Node): void => {
    found(node, around)
    around.push(node)
    for (const key in node) follow(node[key])
    around.pop()
  }
  const follow = (value: unknown): void => {
    if (Array.isArray(value)) for (const element of value) follow(element)
    else if (isNode(value)) enter(value)
  }
  enter(tree)
}
