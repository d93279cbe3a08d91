/**
 * References to a process's pages, taken by the kernel on behalf of a device or a pipe (mm/gup.c).
 *
 * Order and locking are those of 4426e945df58 (v5.7), 17839856fd58 (v5.8), a308c71bf1e6
 * (v5.9), 57efa1fe5957 (v5.11), b6a2619c60b4 (v5.19) and 84209e87c696 (v6.2).
 */
import { atomic, call, naming, type Response, type Steps, tail, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { FAULTED, VM_NONE, VM_WRITE, ZERO_PFN } from './machine.ts'
import { handle_mm_fault } from './memory.ts'
import { PFN, PFN_OR_0 } from './names.ts'
import { drop_reference, take_reference } from './page_alloc.ts'
import { set_page_dirty } from './page_flags.ts'
import { pte_dirty, pte_pfn, pte_present, pte_write } from './pte.ts'
import { store_word } from './tlb.ts'

/** No page: the lockless walk gave up, or the address is not mapped as it must be. */
const NO_PAGE = -1

/** Takes a reference by the slow walk and remembers it in `ref` (pin_user_pages, get_user_pages). */
export function* pin_user_pages(k: Kernel, cpu: number, ref: number): Steps<void> {
  const page = yield* call(gup_slow, cpu, ref)
  if (page !== NO_PAGE) yield* k.ref[ref]!.page.write(1 + page)
}

/** As pin_user_pages, but tries the lockless walk first (pin_user_pages_fast, get_user_pages_fast). */
export function* pin_user_pages_fast(k: Kernel, cpu: number, ref: number): Steps<void> {
  let page = yield* call(gup_fast, cpu, ref)
  if (page === NO_PAGE) page = yield* call(gup_slow, cpu, ref)
  if (page !== NO_PAGE) yield* k.ref[ref]!.page.write(1 + page)
}

/** The walk under mmap_lock (__get_user_pages_locked). */
export function* gup_slow(k: Kernel, cpu: number, ref: number): Steps<number> {
  const { mm, vpn, flags } = k.ref[ref]!
  const { mmap_lock, has_pinned, vma } = k.mm[mm]!
  yield* mmap_lock.readLock()
  // 008cfe4418b3 (v5.9)
  if (flags.pin && k.rules.marks_pinned_mm) yield* has_pinned.write(1)
  const prot = yield* vma[vpn]!.read()
  let page = NO_PAGE
  // The caller's own flags count here (check_vma_flags), not what a design makes of them.
  if (prot !== VM_NONE && !(flags.write && prot !== VM_WRITE)) {
    page = yield* call(follow_page, cpu, ref, prot === VM_WRITE, false)
  }
  yield* mmap_lock.readUnlock()
  return page
}

/**
 * Looks the page up and grabs it under the page-table lock; faults and starts over until it can.
 * @param cow a write fault has given the process its own page although the area is read-only
 *   (FOLL_COW): an entry without write permission will do
 */
function* follow_page(k: Kernel, cpu: number, ref: number, vm_write: boolean, cow: boolean): Steps<number> {
  const { mm, vpn, flags } = k.ref[ref]!
  const { write } = k.rules.gup_flags(flags)
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  const entry = yield* pte[vpn]!.read()
  // FOLL_COW needs a dirty entry.
  const broken_cow = cow && pte_dirty(entry)
  if (!pte_present(entry) || (write && !pte_write(entry) && !broken_cow)) {
    yield* ptl.unlock()
    const kind = write ? 'write' : 'read'
    const broken = yield* call(handle_mm_fault, { mm, cpu, vpn, kind, vm_write } as const)
    return yield* tail(follow_page, cpu, ref, vm_write, cow || (broken && !vm_write))
  }
  const page = pte_pfn(entry)
  const { lock } = k.page[page]!
  if (page === ZERO_PFN && k.rules.zero_page_unshared && flags.pin && flags.longterm && !write) {
    yield* ptl.unlock()
    yield* call(handle_mm_fault, { mm, cpu, vpn, kind: 'unshare', vm_write } as const)
    return yield* tail(follow_page, cpu, ref, vm_write, cow)
  }
  const tested = !write && !pte_write(entry) && page !== ZERO_PFN
  const locked = tested && k.rules.unshare_test_locks_page
  if (locked && !(yield* lock.tryLock())) {
    yield* ptl.unlock()
    yield* lock.lock()
    yield* lock.unlock()
    return yield* tail(follow_page, cpu, ref, vm_write, cow)
  }
  if (tested && (yield* call(k.rules.gup_must_unshare, page, flags))) {
    if (locked) yield* lock.unlock()
    yield* ptl.unlock()
    yield* call(handle_mm_fault, { mm, cpu, vpn, kind: 'unshare', vm_write } as const)
    return yield* tail(follow_page, cpu, ref, vm_write, cow)
  }
  yield* atomic(grab, page, flags.pin, ref)
  if (locked) yield* lock.unlock()
  yield* ptl.unlock()
  return page
}

/** The walk without locks (gup_pte_range), with what its callers check before and after. */
export function* gup_fast(k: Kernel, _cpu: number, ref: number): Steps<number> {
  const { mm, vpn, flags } = k.ref[ref]!
  const { has_pinned, write_protect_seq } = k.mm[mm]!
  if (flags.pin && k.rules.marks_pinned_mm) yield* has_pinned.write(1)
  // 57efa1fe5957 (v5.11): FOLL_GET is not covered.
  if (!(flags.pin && k.rules.write_protect_seq)) return yield* tail(gup_pte_range, mm, vpn, ref)
  const seq = yield* write_protect_seq.read()
  if (seq % 2 === 1) return NO_PAGE
  const page = yield* call(gup_pte_range, mm, vpn, ref)
  if (page === NO_PAGE) return NO_PAGE
  if (yield* write_protect_seq.is(seq)) return page
  yield* atomic(ungrab, page, flags.pin, ref)
  return NO_PAGE
}

function* gup_pte_range(k: Kernel, mm: number, vpn: number, ref: number): Steps<number> {
  const { flags } = k.ref[ref]!
  const { write } = k.rules.gup_flags(flags)
  const pte = k.mm[mm]!.pte[vpn]!
  if (k.rules.shares_nothing) return (yield* atomic(walk_and_grab, mm, vpn, write, flags.pin, ref)) - 1
  const entry = yield* pte.read()
  if (!pte_present(entry) || (write && !pte_write(entry))) return NO_PAGE
  const page = pte_pfn(entry)
  // The zero page's entry is special: the fast walk never takes it.
  if (page === ZERO_PFN) return NO_PAGE

  const inTwo = flags.pin && k.rules.fast_pin_in_two_steps
  if (inTwo) {
    if (!(yield* k.page[page]!.refcount.addUnless(1, 0))) return NO_PAGE
    yield* k.page[page]!.pins.add(1)
  } else if ((yield* atomic(grab_unless_free, page, flags.pin, ref)) === 0) return NO_PAGE

  if (!(yield* pte.is(entry))) {
    yield* atomic(ungrab, page, flags.pin, ref)
    return NO_PAGE
  }
  if (!write && !pte_write(entry) && (yield* call(unshare_first, page, ref))) {
    yield* atomic(ungrab, page, flags.pin, ref)
    return NO_PAGE
  }
  return page
}

/** The unsharing test of the lockless walk, where the page lock would have to be had at once. */
function* unshare_first(k: Kernel, page: number, ref: number): Steps<boolean> {
  const { flags } = k.ref[ref]!
  const { lock } = k.page[page]!
  if (!k.rules.unshare_test_locks_page) return yield* tail(k.rules.gup_must_unshare, page, flags)
  if (!(yield* lock.tryLock())) return true
  const must = yield* call(k.rules.gup_must_unshare, page, flags)
  yield* lock.unlock()
  return must
}

/** The yardstick's lockless walk: the page that is mapped at one moment; 0 if there is none, else 1 + the frame. */
function walk_and_grab(
  view: View,
  k: Kernel,
  mm: number,
  vpn: number,
  write: boolean,
  pin: boolean,
  ref: number,
): Response {
  const entry = view.get(k.mm[mm]!.pte[vpn]!.location)
  if (!pte_present(entry) || (write && !pte_write(entry))) return 0
  grab(view, k, pte_pfn(entry), pin, ref)
  return 1 + pte_pfn(entry)
}

/**
 * Drops the reference, if it is held (unpin_user_page, put_page). Who may have written says so
 * first (set_page_dirty_lock): the entry through which the page was found need not be dirty any more.
 */
export function* unpin_user_page(k: Kernel, ref: number): Steps<void> {
  if (k.ref[ref]!.flags.write && k.rules.swap_in_writable && k.slot.length > 0) yield* call(dirty_held, ref)
  yield* atomic(release, ref)
}

function* dirty_held(k: Kernel, ref: number): Steps<void> {
  const page = (yield* k.ref[ref]!.page.read()) - 1
  if (page < 0) return
  const { lock } = k.page[page]!
  yield* lock.lock()
  yield* set_page_dirty(k, page)
  yield* lock.unlock()
}

/** try_grab_page on a page that an entry maps, under its page-table lock. */
function grab(view: View, k: Kernel, pfn: number, pin: boolean, ref: number): Response {
  const { pins } = k.page[pfn]!
  if (pin) view.set(pins.location, view.get(pins.location) + 1)
  k.rules.hooks?.grabbed?.(view, k, ref, pfn)
  return take_reference(view, k, pfn)
}

/** try_grab_page on a page that may have been freed meanwhile. */
function grab_unless_free(view: View, k: Kernel, pfn: number, pin: boolean, ref: number): Response {
  if (view.get(k.page[pfn]!.refcount.location) === 0) return 0
  grab(view, k, pfn, pin, ref)
  return 1
}

function ungrab(view: View, k: Kernel, pfn: number, pin: boolean, ref: number): Response {
  k.rules.hooks?.released?.(view, k, ref)
  const { pins } = k.page[pfn]!
  if (pin) view.set(pins.location, view.get(pins.location) - 1)
  return drop_reference(view, k, pfn)
}

function release(view: View, k: Kernel, ref: number): Response {
  const { page, flags } = k.ref[ref]!
  const held = view.get(page.location)
  if (held === 0) return 0
  view.set(page.location, 0)
  return ungrab(view, k, held - 1, flags.pin, ref)
}

/** What a device or a pipe reads through the reference. */
export function* device_read(_k: Kernel, ref: number, word: number, register: number): Steps<void> {
  yield* atomic(device_load, ref, word, register)
}

/** Reads a word through a reference into a register, or FAULTED if it was never taken. The run fails if its page is free. */
export function device_load(view: View, k: Kernel, ref: number, word: number, register: number): Response {
  const held = view.get(k.ref[ref]!.page.location)
  if (held === 0) {
    view.set(k.register[register]!.location, FAULTED)
    return 0
  }
  const page = k.page[held - 1]!
  if (view.get(page.refcount.location) === 0)
    return view.fail('use after free: a reference reads a free page')
  view.set(k.register[register]!.location, view.get(page.word[word]!.location))
  return 0
}

/** A device writes through the reference; without one nothing happens. */
export function* device_write(_k: Kernel, ref: number, word: number, value: number): Steps<void> {
  yield* atomic(device_store, ref, word, value)
}

/** Writes a word through a reference, if it was taken. */
export function device_store(view: View, k: Kernel, ref: number, word: number, value: number): Response {
  const held = view.get(k.ref[ref]!.page.location)
  if (held === 0) return 0
  store_word(view, k, held - 1, word, value)
  k.rules.hooks?.device_stored?.(view, k, ref, word, value)
  return 0
}

naming(gup_slow, [], PFN)
naming(follow_page, [], PFN)
naming(gup_fast, [], PFN)
naming(gup_pte_range, [], PFN)
naming(unshare_first, [PFN])
naming(walk_and_grab, [], PFN_OR_0)
