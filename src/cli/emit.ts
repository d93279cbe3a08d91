/** `cowherd emit`: a test as a C program for Linux. */
import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { renderDiagnostic } from '../litmus/index.ts'
import { emit, NotEmittable } from '../real/emit.ts'
import { UsageError } from './exit.ts'
import { complain, print, quoted } from './terminal.ts'
import { findTest, readable, type TestFile } from './tests.ts'

interface EmitOptions {
  readonly output?: string
}

export function registerEmit(program: Command): void {
  program
    .command('emit')
    .description('write a test as a C program, which runs it on a real kernel')
    .argument('<test>', 'a file, or the name of a test in the suite')
    .addOption(new Option('--to <language>', 'the language').choices(['c']).default('c'))
    .option('-o, --output <file>', 'where to write it; without this, to standard output')
    .action(emitTest)
}

function emitTest(name: string, options: EmitOptions): void {
  const program = programOf(findTest(name))
  if (options.output === undefined) {
    print(program.trimEnd())
    return
  }
  try {
    writeFileSync(options.output, program)
  } catch (error) {
    throw new UsageError(`${options.output}: ${readable(error)}`)
  }
  const file = quoted(options.output)
  const binary = quoted(options.output.replace(/\.c$/, '') + (options.output.endsWith('.c') ? '' : '.out'))
  complain(
    `Wrote ${options.output}. Now\n  gcc -O1 -pthread -static -o ${binary} ${file}\nand run it; --help says how.`,
  )
}

function programOf({ test, text, file }: TestFile): string {
  try {
    return emit(test)
  } catch (error) {
    if (!(error instanceof NotEmittable)) throw error
    throw new UsageError(error.diagnostics.map((one) => renderDiagnostic(one, text, file)).join('\n'))
  }
}
