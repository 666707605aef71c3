import { declarationOf } from '../model/accepted.ts'
import type { LogicalType } from '../model/column.ts'

/** What to declare for what a column holds: ` Declare key: int64('account_id').` */
export function remedyFor(
  { name, what }: { readonly name: string; readonly what: string },
  found: LogicalType,
  steps: readonly string[],
): string {
  const declaration = declarationOf(found, steps.join('.'))
  const roleKinds = what.startsWith('field ') ? undefined : (declarable[name.replace(/\[\d+\]$/, '[]')] ?? [])
  const isDeclarable = declaration !== undefined && roleKinds?.includes(found.kind) !== false
  return isDeclarable ? ` Declare ${name}: ${declaration}.` : ''
}

/** What a role may be declared as. */
const declarable: Readonly<Record<string, readonly LogicalType['kind'][]>> = {
  id: ['int', 'string', 'uuid', 'binary', 'decimal', 'date', 'timestamp'],
  'id[]': ['int', 'string', 'uuid', 'binary', 'decimal', 'date', 'timestamp', 'bool'],
  key: ['int', 'string', 'uuid', 'binary', 'decimal', 'date', 'timestamp', 'bool', 'float'],
  type: ['string', 'binary'],
  sequence: ['int'],
}
