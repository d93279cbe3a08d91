/** `cowherd export`: one cell's system as a program for another model checker. */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { addLimits, designOption, type LimitOptions, limitsOf } from './choices.ts'
import { UsageError } from './exit.ts'
import { called, chooseOneDesign, withPool } from './single.ts'
import { complain, print } from './terminal.ts'
import { findTest, readable } from './tests.ts'

interface ExportOptions extends LimitOptions {
  readonly design: readonly string[]
  readonly to: 'promela'
  readonly output?: string
}

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a test under a design as a program for the model checker SPIN')
    .argument('<test>', 'a file, or the name of a test in the suite')
    .addOption(designOption().makeOptionMandatory())
    .addOption(new Option('--to <language>', 'the language').choices(['promela']).makeOptionMandatory())
    .option('-o, --output <file>', 'where to write it; without this, to standard output')
  addLimits(command).action(exportTest)
}

async function exportTest(name: string, options: ExportOptions): Promise<void> {
  const { text, file } = findTest(name)
  const design = await chooseOneDesign(options.design)
  const promela = await withPool(`${name} under ${called(design)}`, (pool) =>
    pool.run('export', {
      test: { file, text },
      design,
      limits: limitsOf(options),
      output: options.output === undefined ? undefined : basename(options.output),
    }),
  )
  if (options.output === undefined) return print(promela.trimEnd())
  try {
    writeFileSync(options.output, promela)
  } catch (error) {
    throw new UsageError(`${options.output}: ${readable(error)}`)
  }
  complain(`Wrote ${options.output}. The comment at its top tells how to ask SPIN.`)
}
