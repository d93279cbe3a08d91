/*
 * suite/fork-race/fast-pin.litmus as a user of SPIN would write it, by hand: a thread pins a page
 * by the lockless walk while another thread forks, and then writes to the page. The rules are those
 * of Linux v5.9; with -DSEQ those of v5.11, where a sequence count keeps the two apart. SPIN finds
 * the assertion violated under the former and never under the latter.
 *
 * What is modelled: two processes (the child does nothing but have a page table), two processors
 * with a TLB each, mmap_lock, the page-table locks, and of each page its counts, its lock and one
 * word. A statement is a step of the kernel or of a processor; what happens in one go there is
 * atomic here.
 *
 * What is not: anything that this scenario does not come to (reads, unmapping, exit, the zero
 * page, other kinds of references). Local variables and jumps have states of their own here, so
 * the number of states is not comparable one to one with that of the exported program.
 */

#define PARENT 0
#define CHILD 1

#define PINNER 0 /* The processors, both of the parent. */
#define FORKER 1

#define FRAMES 4
#define NONE 0

/* A page-table entry: 0 is empty. Frames begin at 1. */
#define PTE(frame, writable) (2 * (frame) + (writable))
#define FRAME(pte) ((pte) / 2)
#define WRITABLE(pte) ((pte) % 2)

typedef Page {
  byte refs = 0;
  byte maps = 0;
  byte pins = 0;
  bit locked = 0;
  byte word = 0
};

typedef Mm {
  byte readers = 0; /* mmap_lock */
  bit writer = 0;
  bit ptl = 0; /* the page-table lock */
  bit has_pinned = 0;
  byte seq = 0; /* write_protect_seq */
  byte pte = 0
};

Page page[FRAMES + 1];
Mm mm[2];
byte tlb[2];
bit ready = 0;
bit forked = 0;

/* Locks */

inline lock(l) { atomic { l == 0 -> l = 1 } }
inline unlock(l) { l = 0 }
inline read_lock(m) { atomic { mm[m].writer == 0 -> mm[m].readers++ } }
inline read_unlock(m) { mm[m].readers-- }
inline write_lock(m) { atomic { mm[m].writer == 0 && mm[m].readers == 0 -> mm[m].writer = 1 } }
inline write_unlock(m) { mm[m].writer = 0 }

/* Pages */

inline alloc_page(f) {
  atomic {
    if
    :: page[1].refs == 0 -> f = 1
    :: page[2].refs == 0 -> f = 2
    :: page[3].refs == 0 -> f = 3
    :: page[4].refs == 0 -> f = 4
    fi;
    page[f].refs = 1
  }
}

inline get_page(f) { atomic { assert(page[f].refs > 0); page[f].refs++ } }

inline put_page(f) {
  atomic {
    assert(page[f].refs > 0);
    page[f].refs--;
    if
    :: page[f].refs == 0 -> assert(page[f].maps == 0 && page[f].pins == 0); page[f].word = 0
    :: else
    fi
  }
}

/* The write fault of the parent; mmap_lock is held for reading. */

inline handle_write_fault() {
  orig = mm[PARENT].pte;
  assert(orig != NONE);
  lock(mm[PARENT].ptl);
  if
  :: mm[PARENT].pte == orig && !WRITABLE(orig) -> do_wp_page()
  :: else -> unlock(mm[PARENT].ptl)
  fi
}

/* v5.9: the reference count decides, and it is looked at again under the page lock. */
inline do_wp_page() {
  old = FRAME(orig);
  reuse = 0;
  if
  :: page[old].refs == 1 ->
    if
    :: atomic { page[old].locked == 0 -> page[old].locked = 1 };
      if
      :: page[old].maps == 1 ->
        if
        :: page[old].refs == 1 -> reuse = 1
        :: else
        fi
      :: else
      fi;
      page[old].locked = 0
    :: else
    fi
  :: else
  fi;
  if
  :: reuse ->
    mm[PARENT].pte = PTE(old, 1);
    unlock(mm[PARENT].ptl)
  :: else ->
    get_page(old);
    unlock(mm[PARENT].ptl);
    wp_page_copy()
  fi
}

inline wp_page_copy() {
  alloc_page(new);
  page[new].word = page[old].word;
  lock(mm[PARENT].ptl);
  if
  :: mm[PARENT].pte == orig ->
    mm[PARENT].pte = NONE;
    tlb[PINNER] = NONE;
    tlb[FORKER] = NONE;
    page[new].maps = 1;
    mm[PARENT].pte = PTE(new, 1);
    page[old].maps--;
    put_page(old);
    unlock(mm[PARENT].ptl)
  :: else ->
    put_page(new);
    unlock(mm[PARENT].ptl)
  fi;
  put_page(old)
}

/* pin_user_pages_fast for writing; `pinned` is the frame, or NONE. */

inline gup_fast() {
  mm[PARENT].has_pinned = 1;
#ifdef SEQ
  seq = mm[PARENT].seq;
  if
  :: seq % 2 == 0 -> gup_pte_range()
  :: else
  fi;
  if
  :: pinned != NONE ->
    if
    :: mm[PARENT].seq == seq
    :: else -> ungrab(pinned); pinned = NONE
    fi
  :: else
  fi
#else
  gup_pte_range()
#endif
}

inline gup_pte_range() {
  orig = mm[PARENT].pte;
  if
  :: orig != NONE && WRITABLE(orig) ->
    old = FRAME(orig);
    if
    :: atomic { page[old].refs > 0 -> page[old].refs++; page[old].pins++ };
      if
      :: mm[PARENT].pte == orig -> pinned = old
      :: else -> ungrab(old)
      fi
    :: else
    fi
  :: else
  fi
}

inline ungrab(f) {
  atomic {
    page[f].pins--;
    put_page(f)
  }
}

inline gup_slow() {
  read_lock(PARENT);
  mm[PARENT].has_pinned = 1;
  do
  :: pinned != NONE -> break
  :: else ->
    lock(mm[PARENT].ptl);
    if
    :: mm[PARENT].pte != NONE && WRITABLE(mm[PARENT].pte) ->
      atomic {
        pinned = FRAME(mm[PARENT].pte);
        page[pinned].pins++;
        get_page(pinned)
      };
      unlock(mm[PARENT].ptl)
    :: else ->
      unlock(mm[PARENT].ptl);
      handle_write_fault()
    fi
  od;
  read_unlock(PARENT)
}

/* A store to the page by the pinning thread's processor. */

inline store(value) {
  do
  :: atomic {
      WRITABLE(tlb[PINNER]) ->
      assert(page[FRAME(tlb[PINNER])].refs > 0);
      page[FRAME(tlb[PINNER])].word = value
    };
    break
  :: !WRITABLE(tlb[PINNER]) ->
    if
    :: atomic { WRITABLE(mm[PARENT].pte) -> tlb[PINNER] = mm[PARENT].pte }
    :: else ->
      read_lock(PARENT);
      handle_write_fault();
      read_unlock(PARENT)
    fi
  od
}

/* fork */

inline copy_page_range() {
  do
  :: lock(mm[CHILD].ptl);
    lock(mm[PARENT].ptl);
    pte = mm[PARENT].pte;
    get_page(FRAME(pte));
    may_share = 1;
    if
    :: mm[PARENT].has_pinned ->
      if
      :: page[FRAME(pte)].pins > 0 -> may_share = 0
      :: else
      fi
    :: else
    fi;
    if
    :: may_share ->
      page[FRAME(pte)].maps++;
      /* The race: a pin that comes between the look at the pins and this is not seen. */
      mm[PARENT].pte = PTE(FRAME(pte), 0);
      mm[CHILD].pte = PTE(FRAME(pte), 0)
    :: else ->
      put_page(FRAME(pte));
      if
      :: spare != NONE ->
        page[spare].word = page[FRAME(pte)].word;
        page[spare].maps = 1;
        mm[CHILD].pte = PTE(spare, 1);
        spare = NONE
      :: else
      fi
    fi;
    unlock(mm[PARENT].ptl);
    unlock(mm[CHILD].ptl);
    if
    :: mm[CHILD].pte != NONE -> break
    :: else -> alloc_page(spare) /* which must not be done under the locks; start over */
    fi
  od;
  if
  :: spare != NONE -> put_page(spare)
  :: else
  fi
}

/* The test */

init {
  atomic {
    page[1].refs = 1;
    page[1].maps = 1;
    mm[PARENT].pte = PTE(1, 1);
    ready = 1
  }
}

active proctype pinner() {
  byte orig, old, new, pinned;
  bit reuse;
#ifdef SEQ
  byte seq;
#endif

  ready;
  gup_fast();
  if
  :: pinned == NONE -> gup_slow()
  :: else
  fi;
  forked;
  store(1);
  /* What a device sees: always parent.r0 == 1. */
  assert(page[pinned].word == 1)
}

active proctype forker() {
  byte pte, spare;
  bit may_share;

  ready;
  write_lock(PARENT);
  write_lock(CHILD);
#ifdef SEQ
  mm[PARENT].seq++;
#endif
  copy_page_range();
#ifdef SEQ
  mm[PARENT].seq++;
#endif
  write_unlock(CHILD);
  tlb[PINNER] = NONE;
  tlb[FORKER] = NONE;
  write_unlock(PARENT);
  forked = 1
}
