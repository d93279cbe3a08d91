/** `cowherd designs`: what each design believes, which rules it states, and where they come from. */
import type { Command } from 'commander'
import pc from 'picocolors'
import { DESIGNS, VARIANTS } from '../designs/index.ts'
import { hang } from '../report/wrap.ts'
import { chooseDesigns } from './choices.ts'
import type { DesignFacts } from './protocol.ts'
import { called, factsOf, withPool } from './single.ts'
import { outputColour, outputWidth, print } from './terminal.ts'

export function registerDesigns(program: Command): void {
  program
    .command('designs')
    .description('tell what each design believes, and where its rules come from')
    .argument('[names...]', 'designs, or files with a design; without any, all that come with Cowherd')
    .option('--names', 'print the names and titles only')
    .action(designs)
}

async function designs(names: readonly string[], options: { readonly names?: true }): Promise<void> {
  const wanted = names.length > 0 ? names : [...DESIGNS, ...VARIANTS].map(({ name }) => name)
  const sources = await chooseDesigns(wanted)
  const facts = await withPool(sources.map(called).join(', '), (pool) =>
    Promise.all(sources.map((source) => factsOf(pool, source))),
  )
  const colours = pc.createColors(outputColour())
  if (options.names) {
    const room = Math.max(...facts.map(({ name }) => name.length)) + 2
    for (const { name, title } of facts) print(`${colours.bold(name.padEnd(room))}${title}`)
  } else print(facts.map((one) => describe(one, outputWidth(), colours)).join('\n\n'))
}

function describe(
  { name, title, belief, because, ours, sources }: DesignFacts,
  width: number,
  colours: ReturnType<typeof pc.createColors>,
): string {
  const variant = VARIANTS.some((design) => design.name === name) ? ' (a variant, not part of "all")' : ''
  const heading = hang(`${name}  ${title}${variant}`, width, 2, 0)
  const lines = [heading.replace(name, colours.bold), `  ${hang(belief, width, 2)}`]
  const rules = Object.entries(because).filter(([rule]) => !(rule in ours))
  if (rules.length > 0) lines.push('', '  Rules:')
  for (const [rule, reason] of rules)
    lines.push(`    ${colours.bold(rule)}`, `      ${hang(reason, width, 6)}`)
  const taken = Object.entries(ours)
  if (taken.length > 0) lines.push('', '  Rules that its author never stated, and that are ours:')
  for (const [rule, { taken: what, alternative }] of taken) {
    lines.push(`    ${colours.bold(rule)}`, `      ${hang(what, width, 6)}`)
    if (alternative !== null) lines.push(`      ${hang(`Or: ${alternative}`, width, 6)}`)
  }
  if (sources.length > 0) lines.push('', '  Sources:')
  for (const { what, where } of sources) lines.push(`    ${hang(`${what}: ${where}`, width, 6, 4)}`)
  return lines.join('\n')
}
