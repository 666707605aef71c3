/** How long functions and classes are. */
import type { Files } from './files.ts'
import { type Node, nameOf, nodesOf, sourceOf, visit } from './syntax.ts'

/** A function or class of a file. */
export interface Piece {
  readonly kind: 'function' | 'class'
  readonly path: string
  readonly line: number
  /** With the class of a method; a function without a name has that of what it is given to. */
  readonly name: string
  /** From the first line to the last, nested functions and text of generated code included. */
  readonly lines: number
  /** Of a function; `this` is none. */
  readonly parameters: number
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const classTypes = new Set(['ClassDeclaration', 'ClassExpression'])

/** All functions with a body and all classes, nested ones too: each is a piece of its own. */
export function piecesOf(files: Files): Piece[] {
  const pieces: Piece[] = []
  for (const [path, text] of files) {
    const { tree, lineAt } = sourceOf(text)
    visit(tree, (node, around) => {
      const kind = functionTypes.has(node.type) ? 'function' : classTypes.has(node.type) ? 'class' : undefined
      if (kind === undefined) return
      const line = lineAt(node.start)
      const lines = lineAt(node.end - 1) - line + 1
      const parameters = nodesOf(node.params).filter((parameter) => nameOf(parameter) !== 'this').length
      pieces.push({ kind, path, line, name: nameIn(node, around), lines, parameters })
    })
  }
  return pieces
}

function nameIn(node: Node, around: readonly Node[]): string {
  const own = nameOf(node.id)
  if (own !== undefined) return own
  const parent = around.at(-1)
  switch (parent?.type) {
    case 'MethodDefinition':
    case 'PropertyDefinition': {
      const inClass = around.at(-3)
      const name = nameOf(parent.key) ?? '[computed]'
      return inClass === undefined ? name : `${nameIn(inClass, around.slice(0, -3))}.${name}`
    }
    case 'Property':
      return nameOf(parent.key) ?? '[computed]'
    case 'VariableDeclarator':
      return nameOf(parent.id) ?? '[pattern]'
    case 'AssignmentExpression': {
      const left = parent.left as Node
      return nameOf(left.type === 'MemberExpression' ? left.property : left) ?? '[assigned]'
    }
    case 'CallExpression':
    case 'NewExpression': {
      const callee = parent.callee as Node
      const name = nameOf(callee.type === 'MemberExpression' ? callee.property : callee)
      return name === undefined ? '[unnamed]' : `[given to ${name}]`
    }
    case 'ExportDefaultDeclaration':
      return 'default'
    default:
      return '[unnamed]'
  }
}

/** The longest piece of a kind; undefined where there is none. */
export function longestOf(pieces: readonly Piece[], kind: Piece['kind']): Piece | undefined {
  const ofKind = pieces.filter((piece) => piece.kind === kind)
  return ofKind.reduce<Piece | undefined>((a, b) => (a === undefined || b.lines > a.lines ? b : a), undefined)
}
