/** Finding and reading tests. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { didYouMean } from '../litmus/diagnostic.ts'
import { type Litmus, LitmusError, parse, renderDiagnostic } from '../litmus/index.ts'
import { UsageError } from './exit.ts'

/** The tests that come with the package. */
export const SUITE = fileURLToPath(new URL('../suite', import.meta.url))

/** The tests of the claims, which are found by their names like those of the suite. */
const CLAIM_TESTS = fileURLToPath(new URL('../claims/tests', import.meta.url))

const EXTENSION = '.litmus'

/** No test is nearly that long; what is may not even be text. */
const MOST_BYTES = 1 << 20

export interface TestFile {
  readonly test: Litmus
  /** As a person would name it from here. */
  readonly file: string
  readonly text: string
  /** The folder it was found in, as a heading: `fork` for `suite/fork/x.litmus`; empty for a file of its own. */
  readonly group: string
  readonly inSuite: boolean
}

export interface Found {
  readonly tests: readonly TestFile[]
  /** What could not be read, each as it should be printed. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads all tests in the given files and folders, each once, in the order given and by name within a folder. */
export function readTests(paths: readonly string[]): Found {
  const tests: TestFile[] = []
  const errors: string[] = []
  const warnings: string[] = []
  const seen = new Set<string>()
  for (const path of paths) {
    for (const found of filesAt(path)) {
      if ('error' in found) {
        errors.push(found.error)
        continue
      }
      const absolute = resolve(found.file)
      if (seen.has(absolute)) continue
      seen.add(absolute)
      try {
        const { file, group } = found
        const text = textOf(file)
        const parsed = parse(text, file)
        const inSuite = absolute.startsWith(SUITE + sep)
        tests.push({ test: parsed.test, file, text, group, inSuite })
        warnings.push(...parsed.warnings.map((warning) => renderDiagnostic(warning, text, file)))
      } catch (error) {
        if (error instanceof LitmusError) errors.push(error.message)
        else errors.push(`${found.file}: ${readable(error)}`)
      }
    }
  }
  return { tests, errors, warnings }
}

/**
 * The one test that a person means by a file, or by its name in the suite.
 * @throws UsageError
 */
export function findTest(name: string): TestFile {
  if (existsSync(name) || name.endsWith(EXTENSION)) {
    const { tests, errors } = readTests([name])
    if (errors.length > 0) throw new UsageError(errors.join('\n'))
    if (tests.length > 1)
      throw new UsageError(`${name}: expected a single test, and this is a folder of ${tests.length}`)
    return tests[0]!
  }
  const file = theOneNamed(name)
  if (file === undefined) {
    const hint = didYouMean(name, filesOfPackage().map(stem))
    throw new UsageError(
      `there is no test "${name}" in the suite${hint === '' ? ', and no such file' : hint}`,
    )
  }
  return readTests([file]).tests[0]!
}

/**
 * Paths as they are, and in place of names of tests that come with the package the files of these.
 * What is neither stays, for `readTests` to complain of.
 * @throws UsageError if a name fits several tests
 */
export function pathsOf(names: readonly string[]): string[] {
  const isPath = (name: string): boolean => existsSync(name) || name.endsWith(EXTENSION)
  return names.map((name) => (isPath(name) ? name : (theOneNamed(name) ?? name)))
}

/** Those that come with the package, each of which has its test's name. */
function filesOfPackage(): readonly string[] {
  packaged ??= [SUITE, CLAIM_TESTS].flatMap(filesIn)
  return packaged
}

let packaged: readonly string[] | undefined

/** The file of a test by its name, or by the shortest path within the suite. */
function theOneNamed(name: string): string | undefined {
  const named = filesOfPackage().filter((file) => name === stem(file) || name === pathInSuite(file))
  if (named.length > 1) {
    const names = named.map(pathInSuite).join(', ')
    throw new UsageError(`several tests are called "${name}"; say which: ${names}`)
  }
  return named[0] === undefined ? undefined : fromHere(named[0])
}

/** The shortest name by which `findTest` finds a test. */
export function nameOf({ test, file, inSuite }: TestFile): string {
  if (!inSuite) return file
  const alike = filesIn(SUITE).filter((other) => stem(other) === test.name)
  return alike.length === 1 ? test.name : pathInSuite(file)
}

/** `fork/x` for `suite/fork/x.litmus`. */
function pathInSuite(file: string): string {
  return relative(SUITE, resolve(file)).slice(0, -EXTENSION.length).split(sep).join('/')
}

function stem(file: string): string {
  return basename(file, EXTENSION)
}

/** A path as a person in this folder would write it. */
export function fromHere(path: string): string {
  const short = relative('.', path)
  return short === '' || short.startsWith('..') ? path : short
}

/** What went wrong with a file, without its path and without `Error:`. */
export function readable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOTDIR':
      return 'a part of this path is a file, not a folder'
    case 'EROFS':
      return 'this file system is read-only'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return message
  }
}

type Hit = { readonly file: string; readonly group: string } | { readonly error: string }

function filesAt(path: string): Hit[] {
  try {
    const status = statSync(path)
    if (status.isFile()) return [{ file: path, group: '' }]
    if (!status.isDirectory()) return [{ error: `${path}: it is neither a file nor a folder` }]
    const files = filesIn(path)
    if (files.length === 0) return [{ error: `${path}: there is no .litmus file in this folder` }]
    return files.map((file) => {
      const group = relative(path, dirname(file)).split(sep).join('/')
      return { file: fromHere(file), group: group === '' ? basename(resolve(path)) : group }
    })
  } catch (error) {
    return [{ error: `${path}: ${readable(error)}` }]
  }
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    stem(a.name) < stem(b.name) ? -1 : 1,
  )
  const files = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(EXTENSION))
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  return [
    ...files.map(({ name }) => join(folder, name)),
    ...folders.flatMap(({ name }) => filesIn(join(folder, name))),
  ]
}

function textOf(file: string): string {
  const status = statSync(file)
  if (!status.isFile()) throw new Error('it is not a file')
  if (status.size > MOST_BYTES) throw new Error('this file is far too long for a test')
  return readFileSync(file, 'utf8')
}
