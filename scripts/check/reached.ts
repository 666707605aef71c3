/** Which files the program can reach. */
import { posix } from 'node:path'
import type { Files } from './files.ts'
import { type Edge, graphOf } from './imports.ts'
import { sourceOf, visit } from './syntax.ts'

/**
 * Files of src that nothing reaches from `starts`: neither an import nor a text such as the './thread.ts' of a URL,
 * which is how workers, separate processes and lazily required modules are named.
 */
export function unreachedFiles(files: Files, starts: Iterable<string>): string[] {
  const graph = graphOf(files)
  const reached = new Set<string>()
  const waiting = [...starts]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const text = files.get(path)
    if (text === undefined || reached.has(path)) continue
    reached.add(path)
    waiting.push(...(graph.get(path) as Edge[]).map(({ to }) => to), ...namedIn(path, text))
  }
  // Declarations of a package's types are found by the compiler.
  return [...files.keys()].filter((path) => path.startsWith('src/') && !path.endsWith('.d.ts') && !reached.has(path))
}

/** Paths that a file names in texts, relative to its own folder; they need not exist. */
function namedIn(path: string, text: string): string[] {
  const named: string[] = []
  visit(sourceOf(text).tree, ({ type, value }) => {
    if (type === 'Literal' && typeof value === 'string' && /^\.{1,2}\/.*\.ts$/.test(value))
      named.push(posix.join(posix.dirname(path), value))
  })
  return named
}
