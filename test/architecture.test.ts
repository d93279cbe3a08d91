// The rules of the house, docs/decisions/0001-toolchain.md: who may import whom, and what no file may contain.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** From the roof to the ground: a file may import its own floor and those below it. */
const FLOORS = ['cli', 'report', 'claims', 'check', 'real', 'live', 'litmus', 'designs', 'mm', 'engine']

/** The floors that speak to an operating system. All others also run in a browser. */
const NODE_FLOORS = ['cli', 'real']

/** A test's syntax tree: plain types that every floor above the designs speaks about. */
const AST = 'src/litmus/ast.ts'

/** Files directly in src/ are the package's entries: they may import everything, and nothing imports them. */
const ENTRY = Number.NEGATIVE_INFINITY

/** One package in package-lock.json. */
interface Locked {
  readonly resolved?: string
  readonly integrity?: string
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

interface Import {
  readonly from: string
  readonly to: string
}

const sources = ts.sys
  .readDirectory(join(root, 'src'), ['.ts', '.tsx'])
  .map((path) => relative(root, path).split(sep).join('/'))
  .sort()

const imports = sources.flatMap(importsOf)
const relativeImports = imports.filter(({ to }) => to.startsWith('src/'))

describe('the house', () => {
  it('has no other floors than those of the design', () => {
    const folders = sources.map((path) => path.split('/').slice(1, -1)[0])
    expect(folders.filter((folder) => folder !== undefined && !FLOORS.includes(folder))).toEqual([])
  })

  it('imports only files that exist, with their extension', () => {
    const missing = imports.filter(
      ({ to }) => to.startsWith('.') || (to.startsWith('src/') && !existsSync(join(root, to))),
    )
    expect(missing.map(show)).toEqual([])
  })

  it('imports only downward', () => {
    const upward = relativeImports.filter(
      ({ from, to }) => floor(to) < floor(from) && !isAstForThoseAboveDesigns(from, to),
    )
    expect(upward.map(show)).toEqual([])
  })

  it('keeps the syntax tree free of everything above the designs', () => {
    const heavy = relativeImports.filter(
      ({ from, to }) => from === AST && floor(to) < FLOORS.indexOf('designs'),
    )
    expect(heavy.map(show)).toEqual([])
  })

  it('has no import cycles', () => {
    expect(cycles()).toEqual([])
  })

  it('imports Node only where it speaks to an operating system', () => {
    const builtin = imports.filter(
      ({ from, to }) => isBuiltin(to) && floor(from) !== ENTRY && !NODE_FLOORS.includes(folderOf(from)),
    )
    expect(builtin.map(show)).toEqual([])
  })

  it('has no drawer called utils', () => {
    expect(
      trackedFiles().filter((path) => /^utils?\b/i.test(basename(path)) || /\/utils?\//i.test(path)),
    ).toEqual([])
  })
})

describe('the repository', () => {
  const lockfile: { packages: Record<string, Locked> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  )
  const locked = new Map(Object.entries(lockfile.packages))

  /** Written so that this file does not contain what it forbids. */
  const FORBIDDEN: ReadonlyArray<{ readonly what: string; readonly pattern: RegExp }> = [
    { what: 'a path of one machine', pattern: /(?<![\w.-])\/(work|home\/\w+|Users\/\w+)\// },
    { what: 'the name of one machine', pattern: /\bfarm[-]/i },
    {
      what: 'the host of a package registry',
      pattern:
        /\bregistry\.[\w.-]+\.(org|com|net|io|dev|local)\b|\b(artifactory|nexus|verdaccio)\.|^registry=|[-]-registry=/i,
    },
    {
      what: 'a number in somebody’s tracker',
      pattern: /\b(issues?|tickets?|fix(es|ed)?|close[sd]?|resolve[sd]?|PRs?|MRs?|pull requests?)[ ]#\d+/i,
    },
  ]

  it.skipIf(!isClone())('is free of what only its author’s workplace understands', () => {
    const found = trackedFiles().flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      if (text.includes('\0')) return []
      return text
        .split('\n')
        .flatMap((line, index) =>
          FORBIDDEN.filter(({ pattern }) => pattern.test(line)).map(
            ({ what }) => `${path}:${index + 1}: ${what}: ${line.trim()}`,
          ),
        )
    })
    expect(found).toEqual([])
  })

  it('is installed from wherever its user installs from, and is the same bytes', () => {
    const strange = [...locked].filter(
      ([path, { resolved, integrity }]) => path !== '' && (resolved !== undefined || integrity === undefined),
    )
    expect(strange.map(([path]) => path)).toEqual([])
  })

  it('has the packages of every platform in its lockfile, or `npm ci` refuses', () => {
    const names = new Set([...locked.keys()].map((path) => path.replace(/^.*node_modules\//, '')))
    const missing = [...locked].flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !names.has(name))
        .map((name) => `${name}, of ${path}`),
    )
    expect(missing).toEqual([])
  })
})

/** Every import, type-only and dynamic ones too: relative ones as paths from the root, others as written. */
function importsOf(from: string): Import[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, from), 'utf8'), true, true)
  return importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return { from, to: fileName }
    const path = relative(root, resolve(root, dirname(from), fileName))
      .split(sep)
      .join('/')
    return { from, to: path }
  })
}

function folderOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? parts[1]! : ''
}

/** 0 is the roof. */
function floor(path: string): number {
  const folder = folderOf(path)
  return folder === '' ? ENTRY : FLOORS.indexOf(folder)
}

function isAstForThoseAboveDesigns(from: string, to: string): boolean {
  return to === AST && floor(from) < FLOORS.indexOf('designs')
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name)
}

function show({ from, to }: Import): string {
  return `${from} imports ${to}`
}

/** Each cycle once, as `a > b > a`: what a depth-first walk closes. */
function cycles(): string[] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of relativeImports) targets.set(from, [...(targets.get(from) ?? []), to])
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []

  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      found.push([...path.slice(start), file].join(' > '))
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const target of targets.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }

  for (const file of sources) visit(file)
  return found
}

function isClone(): boolean {
  return existsSync(join(root, '.git'))
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** What is committed or about to be: tracked files and new ones that are not ignored. */
function trackedFiles(): string[] {
  if (!isClone()) return sources
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return list.split('\0').filter((path) => path !== '' && isFile(join(root, path)))
}
