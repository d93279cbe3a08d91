/** A user's loads and stores, and the page faults that they take (arch/x86/mm/fault.c). */
import { call, type Steps, tail } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE, VM_WRITE } from './machine.ts'
import { handle_mm_fault } from './memory.ts'
import { lock_vma_under_rcu, vma_end_read } from './mmap_lock.ts'
import { hardware_walk, raise_segv, tlb_load, tlb_store } from './tlb.ts'

/** `register = *address`. The register holds FAULTED if the access gets SIGSEGV. */
export function* user_load(k: Kernel, cpu: number, vpn: number, word: number, register: number): Steps<void> {
  if (yield* tlb_load(cpu, vpn, word, register)) return
  if (!(yield* hardware_walk(cpu, vpn, false))) {
    if (!(yield* call(do_user_addr_fault, cpu, vpn, false))) return yield* raise_segv(k, register)
  }
  return yield* tail(user_load, cpu, vpn, word, register)
}

/** `*address = value`. A store that gets SIGSEGV has no effect. */
export function* user_store(_k: Kernel, cpu: number, vpn: number, word: number, value: number): Steps<void> {
  if (yield* tlb_store(cpu, vpn, word, value)) return
  if (!(yield* hardware_walk(cpu, vpn, true))) {
    if (!(yield* call(do_user_addr_fault, cpu, vpn, true))) return
  }
  return yield* tail(user_store, cpu, vpn, word, value)
}

/** The fault handler: false means SIGSEGV, otherwise the access is tried again. */
export function* do_user_addr_fault(k: Kernel, cpu: number, vpn: number, write: boolean): Steps<boolean> {
  const mm = k.cpu[cpu]!.mm
  const { mmap_lock, vma } = k.mm[mm]!
  const area = yield* lock_vma_under_rcu(k, mm, vpn)
  if (!area) yield* mmap_lock.readLock()
  const prot = yield* vma[vpn]!.read()
  const permitted = prot !== VM_NONE && !(write && prot !== VM_WRITE)
  if (permitted) {
    yield* call(handle_mm_fault, {
      mm,
      cpu,
      vpn,
      kind: write ? ('write' as const) : ('read' as const),
      vm_write: prot === VM_WRITE,
    })
  }
  if (area) yield* vma_end_read(k, mm, vpn)
  else yield* mmap_lock.readUnlock()
  return permitted
}
