/** The birth and the end of processes (kernel/fork.c, kernel/exit.c). */
import { atomic, call, pick, type Response, type Steps, tail, type View } from '../engine/index.ts'
import { copy_page_range } from './copy_page_range.ts'
import { copy_user_word } from './do_wp_page.ts'
import type { Kernel } from './kernel.ts'
import { EXITED, EXITING, RUNNING, ZERO_PFN } from './machine.ts'
import { exit_mmap } from './mmap.ts'
import { mmap_write_unlock, vma_start_write } from './mmap_lock.ts'
import { alloc_page } from './page_alloc.ts'
import { mk_pte, pte_none, pte_pfn, pte_write } from './pte.ts'
import { page_add_new_anon_rmap } from './rmap.ts'
import { flush_tlb_mm } from './tlb.ts'

/** fork(): the child begins to run when its memory is complete. */
export function* do_fork(k: Kernel, cpu: number, child: number): Steps<void> {
  const parent = k.cpu[cpu]!.mm
  yield* call(dup_mmap, parent, child, cpu)
  yield* k.mm[child]!.state.write(RUNNING)
}

/** Copies the address space, under mmap_lock of both; the parent's TLBs are flushed once, at the end. */
export function* dup_mmap(k: Kernel, parent: number, child: number, cpu: number): Steps<void> {
  const src = k.mm[parent]!
  const dst = k.mm[child]!
  yield* src.mmap_lock.writeLock()
  yield* dst.mmap_lock.writeLock()
  yield* call(anon_vma_fork)
  yield* atomic(forked, parent, child)
  for (let vpn = 0; vpn < k.config.pages.length; vpn++) {
    if (k.rules.shares_nothing) yield* call(allocate_copy, parent, child, vpn)
    else {
      if (k.rules.fork_locks_vmas) yield* vma_start_write(k, parent, vpn)
      yield* call(copy_page_range, parent, child, vpn, cpu)
    }
  }
  if (k.rules.shares_nothing) yield* call(copy_all_words, parent, child, allWords(k))
  yield* dst.mmap_lock.writeUnlock()
  yield* flush_tlb_mm(k, parent)
  yield* mmap_write_unlock(k, parent)
}

/**
 * The child's areas join the anon_vma tree before there is anything in them to find: a
 * reverse-mapping walk that is under way ends first, and one that comes later visits the child.
 */
function* anon_vma_fork(k: Kernel): Steps<void> {
  if (!k.reverse_maps || k.rules.shares_nothing) return
  yield* k.anon_vma.writeLock()
  yield* k.anon_vma.writeUnlock()
}

/** The child's areas are those of the parent. */
function forked(view: View, k: Kernel, parent: number, child: number): Response {
  k.mm[child]!.vma.forEach((vma, vpn) => {
    view.set(vma.location, view.get(k.mm[parent]!.vma[vpn]!.location))
  })
  k.rules.hooks?.forked?.(view, k, parent, child)
  return 0
}

/** The yardstick's fork, first half: a page of the child's own for each page of the parent. */
function* allocate_copy(k: Kernel, parent: number, child: number, vpn: number): Steps<void> {
  const pte = yield* k.mm[parent]!.pte[vpn]!.read()
  if (pte_none(pte) || pte_pfn(pte) === ZERO_PFN) return
  const page = yield* alloc_page()
  yield* k.mm[child]!.ptl.lock()
  yield* page_add_new_anon_rmap(child, vpn, page)
  yield* k.mm[child]!.pte[vpn]!.write(mk_pte(page, pte_write(pte)))
  yield* k.mm[child]!.ptl.unlock()
}

/**
 * The yardstick's fork, second half: each word is copied at a moment of its own, in any
 * order, so the child gets for each word some value that it held during the call. POSIX
 * promises no snapshot of memory to which other threads store meanwhile, and no kernel makes
 * one: until the flush at the end they store through their TLBs.
 * @param remaining a bit for each word still to be copied
 */
function* copy_all_words(_k: Kernel, parent: number, child: number, remaining: number): Steps<void> {
  if (remaining === 0) {
    yield* atomic(fork_done, parent)
    return
  }
  const copied = yield* atomic(copy_some_word, parent, child, remaining)
  return yield* tail(copy_all_words, parent, child, remaining & ~(1 << copied))
}

function fork_done(view: View, k: Kernel, parent: number): Response {
  k.rules.hooks?.fork_done?.(view, k, parent)
  return 0
}

function allWords(k: Kernel): number {
  return (1 << (k.config.pages.length * k.words)) - 1
}

function copy_some_word(view: View, k: Kernel, parent: number, child: number, remaining: number): Response {
  const candidates: number[] = []
  for (let i = 0; i < k.config.pages.length * k.words; i++) if (remaining & (1 << i)) candidates.push(i)
  const index = pick(view, candidates)
  const vpn = Math.floor(index / k.words)
  const from = view.get(k.mm[parent]!.pte[vpn]!.location)
  const to = view.get(k.mm[child]!.pte[vpn]!.location)
  if (!pte_none(from) && !pte_none(to)) copy_user_word(view, k, pte_pfn(to), pte_pfn(from), index % k.words)
  return index
}

/** exit(): waits until the process's other threads have ended, then takes its memory down. */
export function* do_exit(k: Kernel, cpu: number): Steps<void> {
  if (k.config.ksm && !k.rules.shares_nothing) yield* call(ksm_exit, cpu)
  yield* call(exit_mmap, cpu)
  yield* k.mm[k.cpu[cpu]!.mm]!.state.write(EXITED)
}

/** ksmd is waited for, if it is at work here, and from now on keeps out (__ksm_exit, mm/ksm.c). */
function* ksm_exit(k: Kernel, cpu: number): Steps<void> {
  const { state, mmap_lock } = k.mm[k.cpu[cpu]!.mm]!
  yield* state.write(EXITING)
  yield* mmap_lock.writeLock()
  yield* mmap_lock.writeUnlock()
}

/** waitpid(): waits until the process has exited. */
export function* kernel_wait(k: Kernel, process: number): Steps<void> {
  yield* k.mm[process]!.state.waitFor(EXITED)
}
