import { type CallExpression, type Program, parse } from 'acorn'
import { visit } from './syntax.ts'

/**
 * Prepares a module for the fingerprint. Every call of a function imported from `refold` is marked as free of side
 * effects, so that a bundler drops definitions that nothing reaches; and a log's `files` are cut out, because where
 * events lie doesn't affect the result.
 */
export function markPure(code: string): string {
  if (!code.includes('refold')) return code
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
  const imported = importedFromRefold(program)
  if (imported.size === 0) return code
  const edits: Edit[] = []
  visit(program, (node) => {
    if (node.type !== 'CallExpression') return
    const name = calledName(node, imported)
    if (name === undefined) return
    // Within parentheses, because the mark binds to the call only where an expression begins.
    edits.push(
      { start: node.start, end: node.start, text: '(/* @__PURE__ */' },
      { start: node.end, end: node.end, text: ')' },
    )
    if (name === 'defineLog') edits.push(...filesOf(node))
  })
  return applyEdits(code, edits)
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Local names of what is imported from refold; `*` for the whole module. */
export function importedFromRefold(program: Program): Map<string, string> {
  const names = new Map<string, string>()
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration' || !isRefold(statement.source.value)) continue
    for (const specifier of statement.specifiers) {
      const { imported } = specifier.type === 'ImportSpecifier' ? specifier : { imported: undefined }
      names.set(
        specifier.local.name,
        imported === undefined ? '*' : imported.type === 'Identifier' ? imported.name : String(imported.value),
      )
    }
  }
  return names
}

function isRefold(source: unknown): boolean {
  return source === 'refold' || (typeof source === 'string' && /\/(?:src\/index\.ts|dist\/index\.js)$/.test(source))
}

export function calledName({ callee }: CallExpression, imported: ReadonlyMap<string, string>): string | undefined {
  if (callee.type === 'Identifier') {
    const name = imported.get(callee.name)
    return name === '*' ? undefined : name
  }
  if (callee.type !== 'MemberExpression' || callee.computed || callee.object.type !== 'Identifier') return undefined
  return imported.get(callee.object.name) === '*' && callee.property.type === 'Identifier'
    ? callee.property.name
    : undefined
}

/** Empties the property `files` of a definition that is written as an object. */
function filesOf(call: CallExpression): Edit[] {
  const [spec] = call.arguments
  if (spec?.type !== 'ObjectExpression') return []
  return spec.properties.flatMap((property) => {
    if (property.type !== 'Property' || property.computed) return []
    const name =
      property.key.type === 'Identifier'
        ? property.key.name
        : property.key.type === 'Literal'
          ? property.key.value
          : undefined
    return name === 'files' ? [{ start: property.start, end: property.end, text: 'files:0' }] : []
  })
}

function applyEdits(code: string, edits: readonly Edit[]): string {
  const cuts = edits.filter((edit) => edit.end > edit.start)
  const isCutAway = (edit: Edit) => cuts.some((cut) => cut !== edit && cut.start <= edit.start && edit.end <= cut.end)
  let text = ''
  let at = 0
  for (const edit of edits.filter((edit) => !isCutAway(edit)).sort((a, b) => a.start - b.start)) {
    text += code.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return text + code.slice(at)
}
