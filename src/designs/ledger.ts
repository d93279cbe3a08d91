/**
 * The ledger of the relaxed yardstick: what has happened to references, and what they have been
 * denied. It lives in locations of its own behind the machine's.
 */
import { type Cell, type Memory, pick, type View } from '../engine/index.ts'
import type { Kernel } from '../mm/kernel.ts'
import type { GupFlags, Machine } from '../mm/machine.ts'
import { PFN, PFN_OR_0 } from '../mm/names.ts'
import { pte_none, pte_pfn } from '../mm/pte.ts'
import { CIRCUMSTANCES, type Circumstance } from './design.ts'

/** A kind of reference in a circumstance: one element of K. */
export interface Relaxation {
  readonly reference: GupFlags
  readonly circumstance: Circumstance
}

export interface Ledger {
  readonly relaxations: readonly Relaxation[]
  /** By relaxation: 1 once it has been made use of. */
  readonly used: readonly Cell[]
  /** By reference: 1 + the frame that it has grabbed, from the moment of grabbing. */
  readonly grasp: readonly Cell[]
  /** By reference, then by circumstance (except `any`): whether it has happened. */
  readonly happened: readonly (readonly Cell[])[]
  /** By reference: the processes forked from its owner since it was taken, a bit each. */
  readonly heirs: readonly Cell[]
  /** By reference: those of them that have been given a copy since. */
  readonly parted: readonly Cell[]
  /** By process: 1 + the child that it is forking. */
  readonly forking: readonly Cell[]
  /**
   * The copy in the making: 1 + the process whose page is copied (0: none), which page, from
   * which frame to which, and the words copied so far. The source is held by a reference.
   */
  readonly copying: Cell
  readonly vpn: Cell
  readonly source: Cell
  readonly target: Cell
  readonly copied: Cell
}

const ledgers = new WeakMap<Machine, Ledger>()

export function ledgerOf(k: Machine): Ledger {
  return ledgers.get(k)!
}

export function layLedger(k: Machine): void {
  const { layout } = k
  const kinds: GupFlags[] = []
  for (const { flags } of k.ref) if (!kinds.some((kind) => sameReference(kind, flags))) kinds.push(flags)
  const relaxations = kinds.flatMap((reference) =>
    CIRCUMSTANCES.map((circumstance) => ({ reference, circumstance })),
  )
  const everyone = (1 << k.mm.length) - 1
  ledgers.set(k, {
    relaxations,
    used: relaxations.map((_, i) => layout.cell(`relaxation ${i} used`, 1)),
    grasp: k.ref.map((ref) => layout.naming(layout.cell(`${ref.name} grasp`, k.page.length), PFN_OR_0)),
    happened: k.ref.map((ref) =>
      CIRCUMSTANCES.slice(0, -1).map((circumstance) => layout.cell(`${ref.name} ${circumstance}`, 1)),
    ),
    heirs: k.ref.map((ref) => layout.cell(`${ref.name} heirs`, everyone)),
    parted: k.ref.map((ref) => layout.cell(`${ref.name} parted heirs`, everyone)),
    forking: k.mm.map(({ name }) => layout.cell(`${name} forking`, k.mm.length)),
    copying: layout.cell('copying', k.mm.length),
    vpn: layout.cell('copied page', k.config.pages.length),
    source: layout.naming(layout.cell('copy source', k.page.length), PFN),
    target: layout.naming(layout.cell('copy target', k.page.length), PFN),
    copied: layout.cell('words copied', (1 << k.words) - 1),
  })
}

/** The relaxations that a final memory needed. */
export function relaxationsUsed(k: Kernel, memory: Memory): Relaxation[] {
  const { relaxations, used } = ledgerOf(k)
  return relaxations.filter((_, i) => memory.get(used[i]!.location) === 1)
}

/** Whether two references were asked for alike, so that the same is promised to both. */
export function sameReference(a: GupFlags, b: GupFlags): boolean {
  return a.write === b.write && a.pin === b.pin && a.longterm === b.longterm
}

/** A reference grabs a frame, perhaps while its owner is forking: that fork may not have come to this page yet. */
export function noteGrab(view: View, k: Kernel, ref: number, pfn: number): void {
  const { grasp, forking, heirs } = ledgerOf(k)
  view.set(grasp[ref]!.location, pfn + 1)
  const child = view.get(forking[k.ref[ref]!.mm]!.location) - 1
  if (child < 0) return
  addBits(view, heirs[ref]!, 1 << child)
  noteCircumstance(view, k, ref, 'later-fork')
}

export function noteRelease(view: View, k: Kernel, ref: number): void {
  view.set(ledgerOf(k).grasp[ref]!.location, 0)
}

/** A fork begins: whoever holds a page of the parent's has been forked since, the others before. */
export function noteFork(view: View, k: Kernel, parent: number, child: number): void {
  const { forking, heirs, parted, grasp } = ledgerOf(k)
  view.set(forking[parent]!.location, child + 1)
  k.ref.forEach((ref, r) => {
    const held = view.get(grasp[r]!.location) !== 0
    const inherited = view.get(heirs[r]!.location) & ~view.get(parted[r]!.location) & (1 << parent)
    if (held && (ref.mm === parent ? ownerMapsHeld(view, k, r) : inherited !== 0)) {
      addBits(view, heirs[r]!, 1 << child)
    }
    if (ref.mm === parent || ref.mm === child) {
      noteCircumstance(view, k, r, held ? 'later-fork' : 'earlier-fork')
    }
  })
}

export function noteForked(view: View, k: Kernel, parent: number): void {
  view.set(ledgerOf(k).forking[parent]!.location, 0)
}

/** The owner changes the protection of a page that it holds references to. */
export function noteProtection(view: View, k: Kernel, mm: number, vpn: number): void {
  const { grasp } = ledgerOf(k)
  k.ref.forEach((ref, r) => {
    if (ref.mm === mm && ref.vpn === vpn && view.get(grasp[r]!.location) !== 0) {
      noteCircumstance(view, k, r, 'protected')
    }
  })
}

/** An heir's page has been copied: stores through the references that it was inherited from no longer reach it. */
export function noteParting(view: View, k: Kernel, mm: number, vpn: number): void {
  const { heirs, parted } = ledgerOf(k)
  k.ref.forEach((ref, r) => {
    if (ref.vpn === vpn && view.get(heirs[r]!.location) & (1 << mm)) addBits(view, parted[r]!, 1 << mm)
  })
}

/** Whether the reference's owner still maps the frame that the reference has grabbed. */
export function ownerMapsHeld(view: View, k: Kernel, ref: number): boolean {
  const { mm, vpn } = k.ref[ref]!
  const held = view.get(ledgerOf(k).grasp[ref]!.location)
  if (held === 0) return false
  const pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  return !pte_none(pte) && pte_pfn(pte) === held - 1
}

/**
 * Charges what permits something to happen to a frame: a page is promised to everyone of the
 * process who holds it, so each of them must have been promised nothing.
 */
export function chargeHolders(
  view: View,
  k: Kernel,
  mm: number,
  pfn: number,
  among: readonly Circumstance[] = CIRCUMSTANCES,
): void {
  const { grasp } = ledgerOf(k)
  k.ref.forEach((ref, r) => {
    if (ref.mm === mm && view.get(grasp[r]!.location) === pfn + 1) charge(view, k, r, among)
  })
}

/** Charges the weakest relaxation that permits something to happen to this reference; if there are several, any. */
export function charge(view: View, k: Kernel, ref: number, among: readonly Circumstance[]): void {
  const { relaxations, used, happened } = ledgerOf(k)
  const { flags } = k.ref[ref]!
  const open: Circumstance[] = CIRCUMSTANCES.filter(
    (circumstance, i) =>
      circumstance !== 'any' && among.includes(circumstance) && view.get(happened[ref]![i]!.location) === 1,
  )
  if (open.length === 0) open.push('any')
  const circumstance = pick(view, open)
  const i = relaxations.findIndex(
    (relaxation) => sameReference(relaxation.reference, flags) && relaxation.circumstance === circumstance,
  )
  view.set(used[i]!.location, 1)
}

function noteCircumstance(view: View, k: Kernel, ref: number, circumstance: Circumstance): void {
  view.set(ledgerOf(k).happened[ref]![CIRCUMSTANCES.indexOf(circumstance)]!.location, 1)
}

function addBits(view: View, cell: Cell, bits: number): void {
  view.set(cell.location, view.get(cell.location) | bits)
}
