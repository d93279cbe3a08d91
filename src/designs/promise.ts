/**
 * `eager(K)`: the yardstick, relaxed for those who hold references of the kinds K.
 *
 * At any moment the owner of a page that is held by references of kinds in K, and by no other,
 * may be given a fresh copy of it, each word copied at a moment of its own, after which the
 * references and the owner go separate ways. And a store through such a reference, when it is
 * for writing, may also reach children forked since it was taken: the page that they map,
 * until they are given a copy in the same way, and pages that they hold references to.
 *
 * One exploration serves every K: the run keeps a ledger of the kinds that it made use of, so
 * that a final memory comes with the K that it needs.
 */
import { atomic, BLOCKED, call, pick, type Response, type Steps, tail, type View } from '../engine/index.ts'
import { copy_user_word } from '../mm/do_wp_page.ts'
import type { Hooks, Kernel } from '../mm/kernel.ts'
import { allocate, drop_reference, take_reference } from '../mm/page_alloc.ts'
import { mk_pte, PTE_NONE, pte_none, pte_pfn, pte_write } from '../mm/pte.ts'
import { CIRCUMSTANCES, type Design, extend } from './design.ts'
import { eager } from './eager.ts'
import {
  charge,
  chargeHolders,
  layLedger,
  ledgerOf,
  noteFork,
  noteForked,
  noteGrab,
  noteParting,
  noteProtection,
  noteRelease,
  ownerMapsHeld,
} from './ledger.ts'

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
      grabbed: noteGrab,
      released: noteRelease,
      forked: noteFork,
      fork_done: noteForked,
      protected: noteProtection,
      user_stored: keepCopyCurrent,
      device_stored: reachHeirs,
    } satisfies Hooks,
  },
  because: {},
  promises: () => false,
})

function* relax_daemon(): Steps<void> {
  yield* call(relax)
  return yield* tail(relax_daemon)
}

/** Begins a copy of some page, copies its words in any order, installs it. */
function* relax(k: Kernel): Steps<void> {
  yield* atomic(beginCopy)
  for (let word = 0; word < k.words; word++) yield* atomic(copySomeWord)
  yield* atomic(installCopy)
}

function beginCopy(view: View, k: Kernel): Response {
  const { copying, vpn, source, target } = ledgerOf(k)
  const candidates = copyable(view, k)
  if (candidates.length === 0) return BLOCKED
  const chosen = pick(view, candidates)
  const page = allocate(view, k)
  if (page < 0) return page
  const pfn = pte_pfn(view.get(k.mm[chosen.mm]!.pte[chosen.vpn]!.location))
  take_reference(view, k, pfn)
  view.set(copying.location, chosen.mm + 1)
  view.set(vpn.location, chosen.vpn)
  view.set(source.location, pfn)
  view.set(target.location, page)
  return 0
}

/** The pages that may be copied now: those of owners, and those of heirs whom a store may reach. */
function copyable(view: View, k: Kernel): { mm: number; vpn: number }[] {
  const { grasp, heirs, parted } = ledgerOf(k)
  const found: { mm: number; vpn: number }[] = []
  const add = (mm: number, vpn: number): void => {
    if (view.get(k.mm[mm]!.ptl.location) !== 0) return
    if (!found.some((other) => other.mm === mm && other.vpn === vpn)) found.push({ mm, vpn })
  }
  k.ref.forEach((ref, r) => {
    if (view.get(grasp[r]!.location) === 0) return
    if (ownerMapsHeld(view, k, r)) add(ref.mm, ref.vpn)
    if (!ref.flags.write) return
    const mask = view.get(heirs[r]!.location) & ~view.get(parted[r]!.location)
    k.mm.forEach((mm, m) => {
      // A single thread cannot tell a copy that is still to come from stores that never came.
      if (!(mask & (1 << m)) || mm.cpus.length === 1) return
      if (!pte_none(view.get(mm.pte[ref.vpn]!.location))) add(m, ref.vpn)
    })
  })
  return found
}

function copySomeWord(view: View, k: Kernel): Response {
  const { source, target, copied } = ledgerOf(k)
  const done = view.get(copied.location)
  const remaining: number[] = []
  for (let word = 0; word < k.words; word++) if (!(done & (1 << word))) remaining.push(word)
  const word = pick(view, remaining)
  view.set(copied.location, done | (1 << word))
  return copy_user_word(view, k, view.get(target.location), view.get(source.location), word)
}

/** The owner's stores while the copy is in the making reach the words that have been copied. */
function keepCopyCurrent(view: View, k: Kernel, pfn: number, word: number, value: number): void {
  const { copying, source, target, copied } = ledgerOf(k)
  if (view.get(copying.location) === 0 || view.get(source.location) !== pfn) return
  if (view.get(copied.location) & (1 << word)) {
    view.set(k.page[view.get(target.location)]!.word[word]!.location, value)
  }
}

function installCopy(view: View, k: Kernel): Response {
  const ledger = ledgerOf(k)
  const mm = view.get(ledger.copying.location) - 1
  const vpn = view.get(ledger.vpn.location)
  const source = view.get(ledger.source.location)
  const target = view.get(ledger.target.location)
  if (view.get(k.mm[mm]!.ptl.location) !== 0) return BLOCKED
  for (const cell of [ledger.copying, ledger.vpn, ledger.source, ledger.target, ledger.copied]) {
    view.set(cell.location, 0)
  }
  const entry = k.mm[mm]!.pte[vpn]!
  const old = view.get(entry.location)
  drop_reference(view, k, source)
  if (pte_none(old) || pte_pfn(old) !== source) return drop_reference(view, k, target)

  noteParting(view, k, mm, vpn)
  chargeHolders(view, k, mm, source)
  const { mapcount } = k.page[source]!
  view.set(k.page[target]!.mapcount.location, 1)
  view.set(entry.location, mk_pte(target, pte_write(old)))
  for (const cpu of k.mm[mm]!.cpus) view.set(k.cpu[cpu]!.tlb[vpn]!.location, PTE_NONE)
  view.set(mapcount.location, view.get(mapcount.location) - 1)
  return drop_reference(view, k, source)
}

/**
 * A store through a reference for writing may reach children forked since. And when a copy of
 * its page is in the making that already has this word, the store will be lost to the owner.
 */
function reachHeirs(view: View, k: Kernel, ref: number, word: number, value: number): void {
  const { copying, source, copied, heirs, parted, grasp } = ledgerOf(k)
  const { mm: owner, vpn } = k.ref[ref]!
  const held = view.get(grasp[ref]!.location) - 1
  const losesStore =
    view.get(copying.location) === owner + 1 &&
    view.get(source.location) === held &&
    (view.get(copied.location) & (1 << word)) !== 0
  if (losesStore) charge(view, k, ref, CIRCUMSTANCES)

  const mask = view.get(heirs[ref]!.location)
  if (mask === 0) return
  const within = new Set<number>()
  k.mm.forEach((mm, m) => {
    const pte = view.get(mm.pte[vpn]!.location)
    if (mask & ~view.get(parted[ref]!.location) & (1 << m) && !pte_none(pte)) within.add(pte_pfn(pte))
  })
  k.ref.forEach((other, r) => {
    const frame = view.get(grasp[r]!.location)
    if (mask & (1 << other.mm) && other.vpn === vpn && frame !== 0) within.add(frame - 1)
  })
  let reached = false
  for (const pfn of within) {
    if (pfn === held || view.choose(2) === 0) continue
    view.set(k.page[pfn]!.word[word]!.location, value)
    reached = true
  }
  if (reached) chargeHolders(view, k, owner, held, ['later-fork'])
}
