/** The command line: `cowherd check`, `show`, `claims`, `live`, `run` and the others, each in a file of its own. */
import { Command, CommanderError } from 'commander'
import { INTERRUPTED, Interruption, OK, UNUSABLE, UsageError } from './exit.ts'
import { complain } from './terminal.ts'
import { version } from './version.ts'

/** What adds each command, from a file of its own; a new command is one more line here. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  start: async () => (await import('./start.ts')).registerStart,
  check: async () => (await import('./check.ts')).registerCheck,
  show: async () => (await import('./show.ts')).registerShow,
  live: async () => (await import('./live.ts')).registerLive,
  claims: async () => (await import('./claims.ts')).registerClaims,
  designs: async () => (await import('./designs.ts')).registerDesigns,
  emit: async () => (await import('./emit.ts')).registerEmit,
  export: async () => (await import('./export.ts')).registerExport,
  estimate: async () => (await import('./estimate.ts')).registerEstimate,
  coverage: async () => (await import('./coverage.ts')).registerCoverage,
  history: async () => (await import('./history.ts')).registerHistory,
  run: async () => (await import('./run.ts')).registerRun,
  conform: async () => (await import('./conform.ts')).registerConform,
  kernels: async () => (await import('./kernels.ts')).registerKernels,
  new: async () => (await import('./new.ts')).registerNew,
}

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
  .addHelpText(
    'after',
    `
Examples:
  cowherd check                                   the whole suite under every design
  cowherd check my.litmus --design v5.7,v5.19     one test, in full
  cowherd check --design ./my-design.ts           your own design, against the suite
  cowherd check big.litmus --preemptions 2        only runs with few interruptions; or --random <seed>
  cowherd estimate big.litmus --design v5.19      about how many states that would be
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
not be read or run; 77 "run" has skipped something; 130 interrupted; 143 terminated.`,
  )

// Of the command that somebody gives, only its own file is loaded; of all, where they are listed.
const given = process.argv[2] ?? ''
const wanted = Object.hasOwn(COMMANDS, given) ? [COMMANDS[given]!] : Object.values(COMMANDS)
for (const register of await Promise.all(wanted.map((load) => load()))) register(program)
for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap(({ commands }) => commands),
]) {
  command.exitOverride().showHelpAfterError(`(${nameOf(command)} --help shows what there is)`)
}

/** As somebody types it: `cowherd check`. */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

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
