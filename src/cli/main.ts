#!/usr/bin/env node
/** The command line: `cowherd check`, `show`, `claims`, `live`, `run` and the others, each in a file of its own. */
import { Command, CommanderError } from 'commander'
import { registerCheck } from './check.ts'
import { registerClaims } from './claims.ts'
import { registerConform } from './conform.ts'
import { registerCoverage } from './coverage.ts'
import { registerDesigns } from './designs.ts'
import { registerEmit } from './emit.ts'
import { INTERRUPTED, Interruption, OK, UNUSABLE, UsageError } from './exit.ts'
import { registerExport } from './export.ts'
import { registerHistory } from './history.ts'
import { registerKernels } from './kernels.ts'
import { registerLive } from './live.ts'
import { registerNew } from './new.ts'
import { registerRun } from './run.ts'
import { registerShow } from './show.ts'
import { registerStart } from './start.ts'
import { complain } from './terminal.ts'
import { version } from './version.ts'

/** Each adds its command; a new command is one more line here. */
const COMMANDS = [
  registerStart,
  registerCheck,
  registerShow,
  registerLive,
  registerClaims,
  registerDesigns,
  registerEmit,
  registerExport,
  registerCoverage,
  registerHistory,
  registerRun,
  registerConform,
  registerKernels,
  registerNew,
]

// A reader that has seen enough (`| head`) closes the pipe: that is how it ends, not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    complain(`the output cannot be written: ${error.message}`)
    process.exit(UNUSABLE)
  })
}

const program = new Command('cowherd')
  .description('What herd7 is to memory models, for copy-on-write and page pinning in Linux.')
  .version(version(), '-V, --version')
  .showHelpAfterError('(cowherd --help shows what there is)')
  .addHelpText(
    'after',
    `
Examples:
  cowherd check                                   the whole suite under every design
  cowherd check my.litmus --design v5.7,v5.19     one test, in full
  cowherd check --design ./my-design.ts           your own design, against the suite
  cowherd check big.litmus --preemptions 2        only runs with few interruptions; or --random <seed>
  cowherd show vmsplice-child --design v5.7       the shortest run to the worst outcome
  cowherd live fast-pin --design v5.9             the same test on real threads, with odds
  cowherd claims                                  what was claimed in December 2021, decided
  cowherd designs torvalds                        what a design believes, and where that comes from
  cowherd export vmsplice-child --design v5.7 --to promela -o vmsplice.pml
  cowherd coverage                                what of the kernel's paths no test reaches
  cowherd history                                 what threads remember in vain
  cowherd emit vmsplice-child -o child.c          a C program that does it on a real kernel
  cowherd run vmsplice-child --on host            run it here, beside what the model allows
  cowherd new my.litmus                           a test to start from

Exit codes: 0 as expected; 1 an unmet expectation or an unexpected violation; 2 something could
not be read or run; 130 interrupted.`,
  )

for (const register of COMMANDS) register(program)
for (const command of [program, ...program.commands]) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? OK : UNUSABLE
  else if (error instanceof UsageError) {
    complain(error.message)
    process.exitCode = UNUSABLE
  } else if (error instanceof Interruption) {
    complain(error.message)
    process.exitCode = INTERRUPTED
  } else {
    complain(`This is a mistake in Cowherd itself:\n${error instanceof Error ? error.stack : String(error)}`)
    process.exitCode = UNUSABLE
  }
}
