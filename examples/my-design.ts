/**
 * A design of your own, and what it breaks.
 *
 *   cowherd check --design ./examples/my-design.ts             against the whole suite
 *   cowherd check --design v5.19,./examples/my-design.ts       beside the design that it changes
 *   cowherd show read-pin-then-fork --design ./examples/my-design.ts     the run that breaks it
 *
 * The idea tried here: v5.19 makes fork copy a page that is exclusive and may be pinned, which costs a copy
 * at a bad time. Pins are for devices, devices mostly read, and the parent could copy when it writes. So let
 * fork share pinned pages like all others. Is that right? (It is what Linux did up to v5.8.)
 */
import { extend, type Kernel, page_dup_rmap, type Steps, v5_19 } from 'cowherd'

export default extend(v5_19, {
  // The table's head, and what `expect` lines in tests may call it. Letters, digits, ".", "_", "+" and "-".
  name: 'lazy-fork',
  title: 'v5.19, whose fork shares pinned pages too',
  belief: 'A pinned page may be shared by fork: whoever writes first gets the copy.',
  sources: [],

  // Only what differs from v5.19. `cowherd designs v5.19` tells the rules; src/mm/kernel.ts says when each is asked.
  rules: { page_try_dup_rmap },
  because: { page_try_dup_rmap: 'fork shares every page, pinned or not' },

  // What is promised is v5.19's, since nothing is said here: every pin goes on seeing its owner's page. To break a
  // promise is a "wrong COW"; where nothing is promised, the same outcome is "not promised".
})

/**
 * May the child of a fork share this page? Each `yield*` is one atomic step: whatever other threads do
 * can come between two of them. Everything else is private to this thread and takes no time.
 */
function* page_try_dup_rmap(k: Kernel, _mm: number, pfn: number): Steps<boolean> {
  const page = k.page[pfn]!
  // v5.19 looks here whether the page may be pinned, and if so returns false: "copy it now".
  if (yield* page.exclusive.is(1)) yield* page.exclusive.write(0)
  yield* page_dup_rmap(k, pfn)
  return true
}
