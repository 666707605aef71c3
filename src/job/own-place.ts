import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as esbuild from 'esbuild'

/** What names a module's own place, in ES modules and in CommonJS. */
const ownPlace = /\bimport\.meta\b|\b__dirname\b|\b__filename\b/

/**
 * Lets `import.meta.url`, `dirname` and `filename`, and `__dirname` and `__filename` of CommonJS, mean where a module lies, as without a
 * bundle, which lies in a temporary folder. Fingerprints are made without this: machine paths are no part of them.
 *
 * @param readText Reads a file.
 * @param compile Compiles one file by itself, with its own tsconfig.
 */
export function ownPlaces(
  readText: (path: string) => string,
  compile: (options: esbuild.BuildOptions) => Promise<esbuild.BuildResult>,
): esbuild.Plugin {
  return {
    name: 'own-places',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
        if (!ownPlace.test(readText(path))) return undefined
        try {
          const { outputFiles } = await compile({
            entryPoints: [path],
            // Beside the file, so that the source map names it without a folder.
            outfile: join(dirname(path), `${basename(path)}.out.mjs`),
            write: false,
            sourcemap: 'inline',
            sourcesContent: false,
            define: placesOf(path),
          })
          return { contents: outputFiles![0]!.text, loader: 'js', resolveDir: dirname(path) }
        } catch (error) {
          const { errors } = error as Partial<esbuild.BuildFailure>
          if (errors === undefined) throw error
          return { errors }
        }
      })
    },
  }
}

function placesOf(path: string): Record<string, string> {
  return {
    'import.meta.url': JSON.stringify(pathToFileURL(path).href),
    'import.meta.dirname': JSON.stringify(dirname(path)),
    'import.meta.filename': JSON.stringify(path),
    __dirname: JSON.stringify(dirname(path)),
    __filename: JSON.stringify(path),
  }
}
