/** Questions and their answers, as an exploration tells them. */
import { describe, expect, it } from 'vitest'
import { answeredOneWay, Layout, mergeQuestions, questionsOf, type Steps } from '../../src/engine/index.ts'
import { exploreAll } from './compare.ts'
import { casCounter, counters, system, thread } from './systems.ts'

describe('questions', () => {
  it('have every answer that any interleaving gives, and no other', () => {
    expect(questionsOf(exploreAll(casCounter(3)))).toEqual([
      { procedure: 'increment', step: 1, effect: 'read', example: 'read(x)', answers: [0, 1, 2] },
      {
        procedure: 'increment',
        step: 2,
        effect: 'compareAndSwap',
        example: 'compareAndSwap(x, 0, 1)',
        answers: [0, 1],
      },
    ])
    expect(questionsOf(exploreAll(casCounter(1))).map(({ answers }) => answers)).toEqual([[0], [1]])
  })

  it('leave out what blocks and what fails', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    const lock = layout.lock('lock')
    function* waiter(): Steps<void> {
      yield* x.waitFor(1)
    }
    function* careless(): Steps<void> {
      yield* lock.unlock()
    }
    const questions = questionsOf(exploreAll(system(layout, [thread(waiter), thread(careless)])))
    expect(questions.map(({ effect, answers }) => [effect, answers])).toEqual([
      ['waitFor', []],
      ['unlock', []],
    ])
  })

  it('of several explorations come together', () => {
    const merged = mergeQuestions([
      ...questionsOf(exploreAll(casCounter(1))),
      ...questionsOf(exploreAll(casCounter(2))),
    ])
    expect(merged.map(({ answers }) => answers)).toEqual([
      [0, 1],
      [0, 1],
    ])
  })
})

describe('yes-or-no questions', () => {
  function tested(first: number): ReturnType<typeof questionsOf> {
    const layout = new Layout()
    const x = layout.cell('x', 3, first)
    function* asker(): Steps<void> {
      yield* x.is(1)
      yield* x.read()
    }
    return questionsOf(exploreAll(system(layout, [thread(asker)])))
  }

  it('that had one answer only are found', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    const y = layout.cell('y', 1)
    function* asker(): Steps<void> {
      yield* x.is(1)
      yield* y.is(1)
    }
    function* writer(): Steps<void> {
      yield* x.write(1)
    }
    const questions = questionsOf(exploreAll(system(layout, [thread(asker), thread(writer)])))
    expect(answeredOneWay(questions).map(({ step, answers }) => ({ step, answers }))).toEqual([
      { step: 2, answers: [0] },
    ])
  })

  it('are only those of effects that were answered both ways somewhere', () => {
    expect(answeredOneWay(tested(0))).toEqual([])
    const both = [...tested(3), ...tested(1).map((question) => ({ ...question, procedure: 'another' }))]
    expect(answeredOneWay(both).map(({ procedure, effect }) => `${procedure} ${effect}`)).toEqual([
      'asker test',
      'another test',
    ])
    // A read says more than yes or no.
    expect(answeredOneWay(questionsOf(exploreAll(counters(2, 2))))).toEqual([])
  })
})
