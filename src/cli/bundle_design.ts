/** A person's own design, from a TypeScript file to one module that a worker can import. Nothing of it runs here. */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type BuildFailure, build, type Message, type OutputFile } from 'esbuild'
import { DesignError, LIBRARY } from './own_design.ts'
import type { DesignFile } from './protocol.ts'

/** @throws DesignError with esbuild's own messages, each with its place */
export async function bundleDesign(file: string): Promise<DesignFile> {
  const path = resolve(file)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new DesignError(`there is no file ${file}`)
  }
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      absWorkingDir: process.cwd(),
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'external',
      outfile: resolve(dirname(path), 'design.js'),
      sourcesContent: false,
      logLevel: 'silent',
      // The person's compiler options are about their program, not about this module.
      tsconfigRaw: {},
      plugins: [
        {
          name: 'cowherd',
          setup: ({ onResolve }) => {
            onResolve({ filter: /^cowherd$/ }, () => ({ path: LIBRARY, external: true }))
          },
        },
      ],
    })
    const [map, code] = outputFiles as [OutputFile, OutputFile]
    return { kind: 'file', file, code: code.text, map: map.text }
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>
    if (errors === undefined) throw error
    throw new DesignError(errors.map(place).join('\n'))
  }
}

function place({ text, location, notes }: Message): string {
  const at = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `
  const excerpt = location === null ? '' : `\n  ${location.line} | ${location.lineText.slice(0, 200)}`
  const hints = notes.map((note) => `\n  ${note.text}`).join('')
  return `${at}${text}${excerpt}${hints}`
}
