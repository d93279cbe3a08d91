/**
 * `eager(K)`: the yardstick, relaxed for those who hold references of the kinds K.
 *
 * At any moment the owner of a page that is held by a reference of a kind in K may be given a
 * fresh copy of it, each word copied at a moment of its own, after which the reference and the
 * owner go separate ways. And a store through such a reference, when it is for writing, may
 * also reach children that were forked since it was taken.
 *
 * One exploration serves every K: the run records which kinds it made use of, so that a final
 * memory comes with the K that it needs. A kind is the reference's flags and the circumstance.
 */
import {
  atomic,
  BLOCKED,
  type Cell,
  call,
  type Memory,
  type Response,
  type Steps,
  tail,
  type View,
} from '../engine/index.ts'
import type { Hooks, Kernel } from '../mm/kernel.ts'
import type { GupFlags, Machine } from '../mm/machine.ts'
import { copy_user_word } from '../mm/memory.ts'
import { allocate, drop_reference } from '../mm/page_alloc.ts'
import { mk_pte, PTE_NONE, pte_none, pte_pfn, pte_write } from '../mm/pte.ts'
import { CIRCUMSTANCES, type Circumstance, type Design, extend } from './design.ts'
import { eager } from './eager.ts'

/** A kind of reference in a circumstance: one element of K. */
export interface Relaxation {
  readonly reference: GupFlags
  readonly circumstance: Circumstance
}

/** The locations that the relaxed yardstick adds. */
interface Ledger {
  readonly relaxations: readonly Relaxation[]
  /** By relaxation: 1 once it has been made use of. */
  readonly used: readonly Cell[]
  /** By reference, then by circumstance (except `any`): whether it has happened. */
  readonly happened: readonly (readonly Cell[])[]
  /** By reference: the processes forked from its owner since it was taken, a bit each. */
  readonly heirs: readonly Cell[]
  /** The copy in the making: 1 + reference, its frame, and the words copied so far. */
  readonly copying: Cell
  readonly target: Cell
  readonly copied: Cell
}

const ledgers = new WeakMap<Machine, Ledger>()

/** The yardstick relaxed for every kind of reference, keeping account of the kinds used. */
export const eager_all: Design = extend(eager, {
  name: 'eager(all)',
  title: 'The yardstick, with references promised nothing',
  belief: eager.belief,
  sources: eager.sources,
  rules: {
    hooks: {
      layout: layLedger,
      daemons: [{ name: 'relax', procedure: relax_daemon, args: [], daemon: true }],
      forked: noteFork,
      protected: noteProtection,
      user_stored: keepCopyCurrent,
      device_stored: reachHeirs,
    } satisfies Hooks,
  },
  because: {},
  promises: () => false,
})

/** The relaxations that a final memory of `eager_all` needed. */
export function relaxationsUsed(k: Kernel, memory: Memory): Relaxation[] {
  const { relaxations, used } = ledgers.get(k)!
  return relaxations.filter((_, i) => memory.get(used[i]!.location) === 1)
}

export function sameReference(a: GupFlags, b: GupFlags): boolean {
  return a.write === b.write && a.pin === b.pin && a.longterm === b.longterm
}

function layLedger(k: Machine): void {
  const { layout } = k
  const kinds: GupFlags[] = []
  for (const { flags } of k.ref) if (!kinds.some((kind) => sameReference(kind, flags))) kinds.push(flags)
  const relaxations = kinds.flatMap((reference) =>
    CIRCUMSTANCES.map((circumstance) => ({ reference, circumstance })),
  )
  ledgers.set(k, {
    relaxations,
    used: relaxations.map((_, i) => layout.cell(`relaxation ${i} used`, 1)),
    happened: k.ref.map((ref) =>
      CIRCUMSTANCES.slice(0, -1).map((circumstance) => layout.cell(`${ref.name} ${circumstance}`, 1)),
    ),
    heirs: k.ref.map((ref) => layout.cell(`${ref.name} heirs`, (1 << k.mm.length) - 1)),
    copying: layout.cell('copying', k.ref.length),
    target: layout.cell('copy target', k.page.length),
    copied: layout.cell('words copied', (1 << k.words) - 1),
  })
}

function noteFork(view: View, k: Kernel, parent: number, child: number): void {
  const { happened, heirs } = ledgers.get(k)!
  k.ref.forEach((ref, r) => {
    const held = view.get(ref.page.location) !== 0
    const mask = view.get(heirs[r]!.location)
    if (held && (ref.mm === parent || mask & (1 << parent))) view.set(heirs[r]!.location, mask | (1 << child))
    if (ref.mm !== parent && ref.mm !== child) return
    const circumstance: Circumstance = held ? 'later-fork' : 'earlier-fork'
    view.set(happened[r]![CIRCUMSTANCES.indexOf(circumstance)]!.location, 1)
  })
}

function noteProtection(view: View, k: Kernel, mm: number, vpn: number): void {
  const { happened } = ledgers.get(k)!
  k.ref.forEach((ref, r) => {
    if (ref.mm === mm && ref.vpn === vpn) {
      view.set(happened[r]![CIRCUMSTANCES.indexOf('protected')]!.location, 1)
    }
  })
}

/** Charges the weakest relaxation that permits something to happen to this reference. */
function charge(view: View, k: Kernel, ref: number, among: readonly Circumstance[] = CIRCUMSTANCES): void {
  const { relaxations, used, happened } = ledgers.get(k)!
  const { flags } = k.ref[ref]!
  const open = happened[ref]!.map((cell, i) =>
    view.get(cell.location) === 1 ? CIRCUMSTANCES[i]! : undefined,
  ).filter((circumstance) => circumstance !== undefined && among.includes(circumstance))
  if (open.length === 0) open.push('any')
  const circumstance = open[open.length === 1 ? 0 : view.choose(open.length)]!
  const i = relaxations.findIndex(
    (relaxation) => sameReference(relaxation.reference, flags) && relaxation.circumstance === circumstance,
  )
  view.set(used[i]!.location, 1)
}

function* relax_daemon(): Steps<void> {
  yield* call(relax)
  return yield* tail(relax_daemon)
}

/** Begins a copy of some page that is held, copies its words in any order, installs it. */
function* relax(k: Kernel): Steps<void> {
  yield* atomic(beginCopy)
  for (let word = 0; word < k.words; word++) yield* atomic(copySomeWord)
  yield* atomic(installCopy)
}

/** Whether the reference's owner still maps the frame that the reference holds, and nobody is changing the entry. */
function isCoherent(view: View, k: Kernel, ref: number): boolean {
  const { mm, vpn, page } = k.ref[ref]!
  const held = view.get(page.location)
  if (held === 0 || view.get(k.mm[mm]!.ptl.location) !== 0) return false
  const pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  return !pte_none(pte) && pte_pfn(pte) === held - 1
}

function beginCopy(view: View, k: Kernel): Response {
  const ledger = ledgers.get(k)!
  const candidates = k.ref.map((_, r) => r).filter((r) => isCoherent(view, k, r))
  if (candidates.length === 0) return BLOCKED
  const ref = candidates[candidates.length === 1 ? 0 : view.choose(candidates.length)]!
  const target = allocate(view, k)
  if (target < 0) return target
  charge(view, k, ref)
  view.set(ledger.copying.location, ref + 1)
  view.set(ledger.target.location, target)
  return 0
}

function copySomeWord(view: View, k: Kernel): Response {
  const ledger = ledgers.get(k)!
  const ref = view.get(ledger.copying.location) - 1
  const copied = view.get(ledger.copied.location)
  const remaining: number[] = []
  for (let word = 0; word < k.words; word++) if (!(copied & (1 << word))) remaining.push(word)
  const word = remaining[remaining.length === 1 ? 0 : view.choose(remaining.length)]!
  view.set(ledger.copied.location, copied | (1 << word))
  const held = view.get(k.ref[ref]!.page.location)
  if (held !== 0) copy_user_word(view, k, view.get(ledger.target.location), held - 1, word)
  return 0
}

/** The owner's stores while the copy is in the making reach the words that have been copied. */
function keepCopyCurrent(view: View, k: Kernel, pfn: number, word: number, value: number): void {
  const ledger = ledgers.get(k)!
  const copying = view.get(ledger.copying.location)
  if (copying === 0 || view.get(k.ref[copying - 1]!.page.location) - 1 !== pfn) return
  if (view.get(ledger.copied.location) & (1 << word)) {
    view.set(k.page[view.get(ledger.target.location)]!.word[word]!.location, value)
  }
}

function installCopy(view: View, k: Kernel): Response {
  const ledger = ledgers.get(k)!
  const ref = view.get(ledger.copying.location) - 1
  const target = view.get(ledger.target.location)
  const { mm, vpn } = k.ref[ref]!
  if (view.get(k.mm[mm]!.ptl.location) !== 0) return BLOCKED
  const coherent = isCoherent(view, k, ref)
  view.set(ledger.copying.location, 0)
  view.set(ledger.target.location, 0)
  view.set(ledger.copied.location, 0)
  if (!coherent) return drop_reference(view, k, target)
  const entry = k.mm[mm]!.pte[vpn]!
  const old = view.get(entry.location)
  const oldPage = k.page[pte_pfn(old)]!
  view.set(k.page[target]!.mapcount.location, 1)
  view.set(entry.location, mk_pte(target, pte_write(old)))
  for (const cpu of k.mm[mm]!.cpus) view.set(k.cpu[cpu]!.tlb[vpn]!.location, PTE_NONE)
  view.set(oldPage.mapcount.location, view.get(oldPage.mapcount.location) - 1)
  return drop_reference(view, k, pte_pfn(old))
}

/** A store through a reference for writing may reach any of the children forked since. */
function reachHeirs(view: View, k: Kernel, ref: number, word: number, value: number): void {
  const mask = view.get(ledgers.get(k)!.heirs[ref]!.location)
  let reached = false
  for (let mm = 0; mm < k.mm.length; mm++) {
    if (!(mask & (1 << mm))) continue
    const pte = view.get(k.mm[mm]!.pte[k.ref[ref]!.vpn]!.location)
    if (pte_none(pte) || view.choose(2) === 0) continue
    view.set(k.page[pte_pfn(pte)]!.word[word]!.location, value)
    reached = true
  }
  if (reached) charge(view, k, ref, ['later-fork'])
}
