/** How a cell was searched, and what that leaves open, in words. */
import type { Bound, Coverage } from '../engine/index.ts'
import { count } from './count.ts'

/** A search that may have ended early, and by what. */
export interface Searched {
  readonly search: Coverage
  /** Steps of the longest run that was looked at. */
  readonly depth: number
  readonly bounded: Bound | null
}

/** How far a search went: `exhaustive`, `bounded by time`, `10,000 random runs of at most 500 steps, seed 7`. */
export function reach(searched: Searched): string {
  const { search, bounded } = searched
  const far = bounded === null ? 'exhaustive' : early(bounded)
  switch (search.mode) {
    case 'breadth-first':
      return `${far}${withReductions(search)}`
    case 'hash-compaction':
      return bounded === null
        ? `${far} but for a chance of ${inWords(search.chance)}`
        : `${far}, with hash compaction`
    case 'depth-first':
      return `${far}, depth-first`
    case 'random':
      return `${randomRuns(search)}${bounded === 'runs' ? '' : `, ${far}`}`
    case 'preemptions':
      if (bounded === null) {
        const { complete } = search
        return `exhaustive: no state needs ${moreThan(complete)}`
      }
      if (bounded === 'preemptions') return `all runs with ${atMost(search.most)}`
      return `${far} while looking at runs with ${atMost(search.most)}`
  }
}

/** `, with merging and symmetry`: fewer states stand for all of them. */
function withReductions({ reductions = [] }: Extract<Coverage, { mode: 'breadth-first' }>): string {
  return reductions.length === 0 ? '' : `, with ${reductions.join(' and ')}`
}

/** `10,000 random runs of at most 500 steps, seed 7`. */
export function randomRuns({ runs, steps, seed }: Extract<Coverage, { mode: 'random' }>): string {
  return `${count(runs)} random ${runs === 1 ? 'run' : 'runs'} of at most ${count(steps)} steps, seed ${seed}`
}

/** `a chance of at most 1 in 250,000 that a state was missed (hash compaction)`. */
export function missedState({ chance }: Extract<Coverage, { mode: 'hash-compaction' }>): string {
  return `a chance of at most ${inWords(chance)} that a state was missed (hash compaction)`
}

/** What may be there and was not looked at; null if nothing. */
export function notCovered(searched: Searched): string | null {
  const { search } = searched
  const behind = behindBound(searched)
  if (search.mode !== 'hash-compaction') return behind
  return behind === null ? missedState(search) : `${behind}; besides, there is ${missedState(search)}`
}

function behindBound({ search, bounded, depth }: Searched): string | null {
  if (bounded === null) return null
  if (search.mode === 'random') {
    const cut = search.cut === 0 ? '' : `, and how the ${count(search.cut)} go on that were cut off`
    return `what any other run does${cut}`
  }
  if (search.mode === 'preemptions') {
    if (bounded === 'preemptions') return `runs with ${moreThan(search.most)}`
    if (search.complete < 0) return 'some runs without any preemption, and runs with more'
    return `some runs with ${moreThan(search.complete)}`
  }
  if (bounded !== 'depth') return `what had not been reached when the search was ${early(bounded)}`
  if (search.mode === 'depth-first') return 'runs of more steps, and some of fewer'
  return `runs of more than ${count(depth)} steps`
}

/** What there is to say of a search that is not breadth-first, in a sentence; empty for one that is. */
export function describeSearch(searched: Searched): string {
  const { search } = searched
  const behind = behindBound(searched)
  const open = behind === null ? 'nothing is left out' : `not looked at: ${behind}`
  switch (search.mode) {
    case 'breadth-first':
      return ''
    case 'hash-compaction':
      return `only a fingerprint of each state was kept: there is ${missedState(search)}${behind === null ? '' : `; ${open}`}`
    case 'depth-first':
      return `depth-first: the runs shown need not be the shortest; ${open}`
    case 'random':
      return `${randomRuns(search)}: what was seen can happen, what was not seen may; ${open}`
    case 'preemptions':
      return `runs in which a thread that could go on is ${interruptions(search.most)}; ${open}`
  }
}

/** What a bound makes of a search: `bounded by time`. */
export function early(bounded: Bound): string {
  return bounded === 'interrupted' ? 'interrupted' : `bounded by ${bounded}`
}

/** A chance: `1 in 250,000`, `1 in 10^15`. */
function inWords(chance: number): string {
  if (chance === 0) return '0'
  const one = 1 / chance
  return `1 in ${one < 1e12 ? count(Number(one.toPrecision(2))) : `10^${Math.floor(Math.log10(one))}`}`
}

function preemptions(n: number): string {
  return n === 1 ? '1 preemption' : `${n} preemptions`
}

function atMost(n: number): string {
  return n === 0 ? 'no preemption' : `at most ${preemptions(n)}`
}

function moreThan(n: number): string {
  return n === 0 ? 'a preemption' : `more than ${preemptions(n)}`
}

function interruptions(most: number): string {
  if (most === 0) return 'never interrupted'
  return `interrupted at most ${most === 1 ? 'once' : `${most} times`}`
}
