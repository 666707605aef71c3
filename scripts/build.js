// Builds dist/: JavaScript and declarations. The compiler turns './file.ts' into './file.js' in the JavaScript it emits
// but not in the declarations, so that is done here.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

rmSync(dist, { recursive: true, force: true })
const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' })
if (compiled.status === 0) rewriteDeclarations()
process.exitCode = compiled.status ?? 1

function rewriteDeclarations() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.d.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, 'utf8')
    const rewritten = text.replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, (whole, quote, specifier) => {
      const declared = existsSync(join(entry.parentPath, `${specifier}.d.ts`))
      return declared ? `${quote}${specifier}.js${quote}` : whole
    })
    if (rewritten !== text) writeFileSync(path, rewritten)
  }
}
