#!/usr/bin/env node
// Runs on any Node that knows ES modules, so that one that is too old gets a plain answer instead of a syntax error.
import { existsSync } from 'node:fs'
import module from 'node:module'

const required = [22, 18]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < required[0] || (major === required[0] && minor < required[1])) {
  process.stderr.write(`refold: needs Node.js ${required.join('.')} or newer, found ${process.versions.node}.\n`)
  process.exitCode = 2
} else {
  silenceTypeStripping()
  module.enableCompileCache()
  // A clone runs its TypeScript as it is; the published package has only what was built from it.
  const source = new URL('../src/cli/main.ts', import.meta.url)
  await import(existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href)
}

// Node 22 announces type stripping as an experiment; the notice would stand between a user and the result.
function silenceTypeStripping() {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    const text = typeof warning === 'string' ? warning : warning.message
    if (!text.startsWith('Type Stripping is an experimental feature')) emitWarning.call(process, warning, ...rest)
  }
}
