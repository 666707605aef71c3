import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as esbuild from 'esbuild'
import { ConfigurationError } from '../model/errors.ts'
import { ownPlaces } from './own-place.ts'
import { pathForPeople } from './position.ts'
import { markPure } from './pure.ts'
import { describeSyntax } from './syntax.ts'

/** The running Refold: what a job's `import 'refold'` must resolve to, in a clone as in the published package. */
export const refoldUrl = new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url)

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  charset: 'utf8',
  // Every message is Refold's own.
  logLevel: 'silent',
} as const satisfies esbuild.BuildOptions
const { format, target, charset, logLevel } = common

/** Writes the job and everything it imports as one module into `folder` and returns the module's path. */
export async function bundleJob(path: string, folder: string): Promise<string> {
  const outfile = join(folder, `${basename(path).replace(/\.[^.]+$/, '')}.mjs`)
  const options = {
    ...common,
    entryPoints: [resolve(path)],
    outfile,
    write: false,
    sourcemap: 'inline',
    sourcesContent: false,
    plugins: [
      refoldAt(refoldUrl.href, fileURLToPath(refoldUrl)),
      ownPlaces((file) => readFileSync(file, 'utf8'), compileAlone),
    ],
  } as const satisfies esbuild.BuildOptions
  const built = await compiling(path, () => esbuild.build(options))
  const code = built.outputFiles[0]!.text
  // A CommonJS package that requires Node's own modules needs a `require`; a job without one must not find it declared.
  const whole = code.includes('__require')
    ? await compiling(path, () => esbuild.build({ ...options, banner: requireFor(path) }))
    : built
  writeFileSync(outfile, whole.outputFiles[0]!.contents)
  return outfile
}

/**
 * Writes a module that imports a job's bundle, into the bundle's folder, so that it is removed with the job.
 *
 * @returns Its path.
 */
export function writeBeside(bundlePath: string, name: string, code: string): string {
  const path = join(dirname(bundlePath), name)
  writeFileSync(path, code)
  return path
}

function requireFor(path: string): { readonly js: string } {
  const from = JSON.stringify(pathToFileURL(resolve(path)).href)
  return { js: `import { createRequire as requireOfJob } from 'node:module'; const require = requireOfJob(${from});` }
}

/**
 * The code that each of the job's named exports reaches, as a text that is the same however the code is laid out,
 * commented and named; `*` means the whole job.
 */
export async function logicOf(path: string, exportNames: readonly string[]): Promise<Map<string, string>> {
  const built = await compiling(path, () =>
    esbuild.build({
      ...common,
      entryPoints: exportNames.map((_, index) => ({ in: `export:${index}`, out: String(index) })),
      outdir: dirname(resolve(path)),
      write: false,
      minify: true,
      plugins: [refoldAt('refold', 'refold'), exportsOf(resolve(path), exportNames), withoutSideEffects],
    }),
  )
  const logic = new Map<string, string>()
  for (const [index, name] of exportNames.entries()) {
    const file = built.outputFiles.find((output) => basename(output.path) === `${index}.js`)
    if (file === undefined) throw new Error(`esbuild returned no output for the export ${name} of ${path}`)
    // Once more, because what only other exports use, imports above all, is removed only now.
    const { code } = await esbuild.transform(file.text, { minify: true, format, target, charset, logLevel })
    logic.set(name, describeSyntax(code))
  }
  return logic
}

/** One file by itself, with its own tsconfig. It stays the module that it is: what imports names of a CommonJS module finds them only there. */
function compileAlone(options: esbuild.BuildOptions): Promise<esbuild.BuildResult> {
  const { format: _, ...rest } = common
  return esbuild.build({ ...rest, bundle: false, ...options })
}

/**
 * Resolves `refold`, by name or as the file itself, to one place outside the bundle.
 *
 * @param required The same place for `require()`, which takes no URL; what it gives is the same module.
 */
function refoldAt(place: string, required: string): esbuild.Plugin {
  const refoldPath = fileURLToPath(refoldUrl)
  const found = ({ kind }: esbuild.OnResolveArgs): esbuild.OnResolveResult => ({
    path: kind === 'require-call' ? required : place,
    external: true,
    sideEffects: false,
  })
  return {
    name: 'refold',
    setup(build) {
      build.onResolve({ filter: /^refold$/ }, found)
      build.onResolve({ filter: /\bindex\.[jt]s$/ }, (asked) =>
        resolve(asked.resolveDir, asked.path) === refoldPath ? found(asked) : undefined,
      )
    },
  }
}

/** Makes `export:3` a module with nothing but the fourth of the exports. */
function exportsOf(path: string, exportNames: readonly string[]): esbuild.Plugin {
  const from = JSON.stringify(path)
  return {
    name: 'exports',
    setup(build) {
      build.onResolve({ filter: /^export:/ }, (found) => ({
        path: found.path.slice('export:'.length),
        namespace: 'export',
      }))
      build.onLoad({ filter: /./, namespace: 'export' }, ({ path: index }) => {
        const name = exportNames[Number(index)]!
        const one = `export { ${JSON.stringify(name)} as view } from ${from}`
        const all = `export * from ${from}; export { default } from ${from}`
        return { contents: name === '*' ? all : one, resolveDir: dirname(path) }
      })
    },
  }
}

/** Marks definitions so that those that nothing reaches are dropped, and cuts out the paths of the log's files. */
const withoutSideEffects: esbuild.Plugin = {
  name: 'without-side-effects',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      if (path.includes('/node_modules/') || path.includes('\\node_modules\\')) return undefined
      // Numbers and strings get one spelling here.
      const result = await compileAlone({ entryPoints: [path], write: false, minifySyntax: true })
      return { contents: markPure(result.outputFiles![0]!.text), loader: 'js', resolveDir: dirname(path) }
    })
  },
}

async function compiling<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const ownFault = error.errors.find((message) => message.pluginName !== '' && message.detail instanceof Error)
    if (ownFault !== undefined) throw ownFault.detail
    const messages = error.errors.map(describeMessage)
    const [first] = error.errors
    const shown =
      messages.length === 1
        ? ` ${messages[0]}`
        : `\n${messages
            .slice(0, 5)
            .map((message) => `- ${message}`)
            .join('\n')}`
    const more = messages.length > 5 ? `\n- and ${messages.length - 5} more` : ''
    throw new ConfigurationError(`Cannot compile the job ${path}:${shown}${more}`, {
      file: first?.location ? pathForPeople(resolve(first.location.file)) : path,
    })
  }
}

function isBuildFailure(error: unknown): error is esbuild.BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

/** `jobs/ledger.ts:3:7: Expected ";" but found "x".` esbuild counts columns from 0, in bytes. */
function describeMessage({ text, location }: esbuild.Message): string {
  if (location === null) return `${text}.`
  const column = Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1
  return `${pathForPeople(resolve(location.file))}:${location.line}:${column}: ${text}.`
}
