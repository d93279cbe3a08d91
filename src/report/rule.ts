/** Which rule of a design let something happen, and where that rule comes from. */
import { DESIGNS, type Design, NO_RULES, type RuleName } from '../designs/index.ts'

/** Not what looks like one in the address of a message. */
const HASH = /(?<![-\w])[0-9a-f]{12}(?![-\w@])/

/** What a design does where it states no rule, for those rules that decide about sharing. */
const UNSTATED: Partial<Record<RuleName, string>> = {
  wp_can_reuse: 'a write fault reuses the page, whoever else can see it',
  page_try_dup_rmap: 'fork shares every page with the child, whoever holds references to it',
  gup_must_unshare: 'a reference for reading is taken to the page as it is found, shared or not',
  may_add_to_swap: 'reclaim gives any page a place in swap, whoever holds references to it',
  page_try_share_anon_rmap: 'KSM asks who holds a page only if its entry is writable or dirty',
  swap_in_exclusive: 'whoever swaps a page in may write to it, whoever else can see it',
  clear_refs_may_protect: 'clear_refs takes write permission from every page, whoever holds references to it',
  flushes_exclusive_at_once:
    'reclaim may put off the flush of other processors’ TLBs until it has done with the page',
  clear_refs_flushes:
    'clear_refs flushes no TLB, so that processors may go on writing through entries that they have cached',
  write_protect_seq: 'nothing keeps a lockless pin from slipping in between two steps of fork',
}

/** What the rule says and its commit or message, or what happens without one. */
export function ruleSentences(design: Design, rule: RuleName): string {
  const because = statedBy(design, rule)
  if (design.ours?.[rule] !== undefined) {
    const silent = `${design.name} states no rule for this, so the kernel of the day decides`
    return because === undefined
      ? `${silent}. ${unstatedSentence(design, rule)}`.trim()
      : `${silent}: ${because}.`
  }
  if (because === undefined) {
    const unstated = unstatedSentence(design, rule)
    if (design.rules[rule] !== NO_RULES[rule] || unstated === '') {
      return `${design.name} decides so in its rule ${rule}, and does not say why.`
    }
    return unstated + laterRule(rule)
  }
  const says = because.replace(/ \(([0-9a-f]{12}(, )?)+\)$/, '')
  const origin = originOf(design, rule, because)
  return `The rule of ${design.name}${origin === undefined ? '' : ` (${origin})`}: ${says}.`
}

/** What happens without a rule: `In v5.9 reclaim gives any page …`. */
export function unstatedSentence(design: Design, rule: RuleName): string {
  const unstated = UNSTATED[rule]
  return unstated === undefined ? '' : `In ${design.name} ${unstated}.`
}

/** What a design says about a rule; not what another one said about the rule that it has replaced. */
function statedBy(design: Design, rule: RuleName): string | undefined {
  const because = design.because[rule]
  const first = DESIGNS.find((other) => other.because[rule] === because)
  if (first === undefined || first.rules[rule] === design.rules[rule]) return because
  return undefined
}

/** The first kernel that has a rule where another has none: what mended it. */
export function laterRule(rule: RuleName): string {
  const later = DESIGNS.find(({ name, because }) => /^v\d+\.\d+$/.test(name) && because[rule] !== undefined)
  return later === undefined ? '' : ` From ${later.name} on ${later.because[rule]}.`
}

/** The commit or message that a rule comes from, with its title where a design tells it. */
function originOf(design: Design, rule: RuleName, because: string): string | undefined {
  const hash = HASH.exec(because)?.[0]
  if (hash !== undefined) {
    const source = [design, ...DESIGNS].flatMap(({ sources }) => sources).find(({ where }) => where === hash)
    return `commit ${hash}${source === undefined ? '' : `, “${source.what}”`}`
  }
  // It says itself when it was written.
  if (/\b20\d\d\b/.test(because)) return undefined
  const first = DESIGNS.find((other) => other.because[rule] === because) ?? design
  const named = /\(([a-z_]+|\d\d\/\d\d)\)$/.exec(because)?.[1]
  const source =
    first.sources.find(({ what }) => named !== undefined && what.includes(named)) ?? first.sources[0]
  if (source === undefined) return undefined
  const where = HASH.test(source.where) ? `commit ${source.where}` : source.where
  return `${where}, “${source.what}”`
}
