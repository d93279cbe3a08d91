/** `cowherd new`: a test to start from. */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from './exit.ts'
import { print, quoted } from './terminal.ts'
import { readable } from './tests.ts'

export function registerNew(program: Command): void {
  program
    .command('new')
    .description('write a test to start from: it runs as it is, and its comments say what can be changed')
    .argument('<file>', 'a file that does not exist yet, such as my.litmus')
    .action(writeNew)
}

function writeNew(file: string): void {
  const path = file.endsWith('.litmus') ? file : `${file}.litmus`
  try {
    writeFileSync(path, template(nameFrom(path)), { flag: 'wx' })
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new UsageError(
      `${path}: ${exists ? 'there is such a file already; it was left as it is' : readable(error)}`,
    )
  }
  print(`Wrote ${path}. Now try\n  cowherd check ${quoted(path)}`)
}

/** A test's name from its file's: letters, digits, ".", "_" and "-", of which the first is a letter or digit. */
function nameFrom(path: string): string {
  const name = basename(path, '.litmus')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
  return name === '' ? 'my-test' : name
}

function template(name: string): string {
  return `# What this test is about, in a sentence or two.
test ${name}

# One page of private anonymous memory, with one word. It has been written, so it is really there;
# memory that nobody has touched yet is "zero page x". A page with several words: page buf: a = 0, b = 0
page x = 0

# The first process is there at the start. The others begin when somebody forks them.
process parent {
  fork child
  wait unmapped                 # until the child has signalled it
  x = 1                         # a store
  signal written
}

process child {
  pin p = x for read, get       # a reference: read or write; get (FOLL_GET) or pin (FOLL_PIN); longterm, fast
  unmap x                       # also: dontneed x, mprotect x read, exit
  signal unmapped
  wait written
  r0 = p                        # a load through the reference; from memory it is "r0 = x"
}

# What must hold at the end of every run (never, always) or of some run (sometimes): registers as
# child.r0, memory as parent.x, what a reference holds as child.p; "and", "or", "not", "==", "!=".
never child.r0 == 1

# What is known already, so that \`cowherd check\` only tells what is new. The worst that can happen is one of
# right, not-promised, lost-write, wrong-cow, missed-cow, use-after-free, leak, deadlock, broken-invariant.
expect v5.7: missed-cow, violated "the mapcount does not see the child's reference"
`
}
