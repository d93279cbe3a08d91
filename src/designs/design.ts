/** A design: one set of rules for copy-on-write, and what it promises to those who hold references. */

import type { Rules } from '../mm/kernel.ts'
import type { GupFlags } from '../mm/machine.ts'

/**
 * What has happened to a page that somebody holds a reference to.
 * - `later-fork`: its owner forked after the reference was taken
 * - `earlier-fork`: its owner had forked, or been forked, before
 * - `protected`: its owner changed the page's protection
 * - `any`: none of these; a plain reference to a page of one's own
 */
export const CIRCUMSTANCES = ['later-fork', 'earlier-fork', 'protected', 'any'] as const
export type Circumstance = (typeof CIRCUMSTANCES)[number]

export interface Source {
  /** What it is: a commit with its title's gist, or a message with author and date. */
  readonly what: string
  /** A commit hash, or where the message is archived. */
  readonly where: string
}

export type RuleName = keyof Rules

/** A rule that the design's author never stated, so that we had to take one: the kernel's of the day. */
export interface Ours {
  readonly taken: string
  /** What its author may as well have meant, where that makes a difference. */
  readonly alternative?: { readonly text: string; readonly rules: Partial<Rules> }
}

/** Rules of the kernel of the day that nobody argued about, taken as they were. */
export function ofTheDay(kernel: Design, ...rules: RuleName[]): Partial<Record<RuleName, Ours>> {
  return Object.fromEntries(
    rules.map((rule) => [rule, { taken: `as in ${kernel.name}: ${kernel.because[rule]}` }]),
  )
}

export interface Design {
  /** As on the command line: `v5.9`, `torvalds`. */
  readonly name: string
  /** One line: whose rules these are. */
  readonly title: string
  /** What it believes, in a few sentences. */
  readonly belief: string
  readonly sources: readonly Source[]
  readonly rules: Rules
  /** For each rule that this design states: what it says, and where that comes from. */
  readonly because: Readonly<Partial<Record<RuleName, string>>>
  /** The rules that are ours and not its author's. What is decided by one of them is decided with its alternative too. */
  readonly ours?: Readonly<Partial<Record<RuleName, Ours>>> | undefined
  /**
   * Does this design promise that such a reference and its owner go on seeing the same page,
   * when this has happened?
   */
  promises(reference: GupFlags, circumstance: Circumstance): boolean
}

/** What a design that extends another says anew; `rules` and `because` are merged with the other's. */
export interface Extension {
  readonly name: string
  readonly title: string
  readonly belief: string
  readonly sources: readonly Source[]
  readonly rules: Partial<Rules>
  readonly because: Readonly<Partial<Record<RuleName, string>>>
  readonly ours?: Design['ours']
  readonly promises?: Design['promises']
}

/** The design that is `base` except for what `extension` says. */
export function extend(base: Design, extension: Extension): Design {
  return {
    ...extension,
    rules: { ...base.rules, ...extension.rules },
    because: { ...base.because, ...extension.because },
    promises: extension.promises ?? base.promises,
  }
}
