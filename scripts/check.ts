/** One command that says whether all is well. Stops at the first check that fails, with exit code 1. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = join(root, 'node_modules')

const colors = process.stdout.isTTY ? '--colors=force' : '--colors=off'

const checks: readonly (readonly [name: string, ...parameters: string[]])[] = [
  ['format and lint', join(packages, '@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', colors, '.'],
  ['types', join(packages, 'typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json'],
  ['import rules', 'scripts/check-imports.ts'],
  ['structure', 'scripts/check-structure.ts'],
  ['package', 'scripts/check-package.ts'],
  ['tests', join(packages, 'vitest/vitest.mjs'), 'run'],
]

for (const [name, ...parameters] of checks) {
  console.log(`\n── ${name}`)
  const start = performance.now()
  // All of them are JavaScript or TypeScript, so the Node that runs this also runs them, whatever the path says.
  const { status, signal, error } = spawnSync(process.execPath, parameters, { cwd: root, stdio: 'inherit' })
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`
  if (status !== 0) {
    const reason = error?.message ?? (signal === null ? `exit code ${status}` : signal)
    const missing = existsSync(packages) ? '' : ' (run `npm ci` first)'
    console.error(`\n✗ ${name} failed after ${seconds}: ${reason}${missing}`)
    process.exit(1)
  }
  console.log(`✓ ${name}, ${seconds}`)
}
console.log('\nAll is well.')
