/**
 * A design that nobody ever explores to the end: v5.19 beside a thread that never stops writing numbers.
 * @param beforehand what its file does besides, when it is loaded
 */
export function endlessDesign(name: string, beforehand = ''): string {
  return `
import { atomic, extend, tail, v5_19 } from 'cowherd'
${beforehand}
const NAMES = ['noise 0', 'noise 1', 'noise 2', 'noise 3']
export default extend(v5_19, {
  name: '${name}', title: 'endless', belief: 'none', sources: [], because: {},
  rules: {
    hooks: {
      layout: (k) => { for (const name of NAMES) k.layout.cell(name, 255) },
      daemons: [{ name: 'noise', procedure: noise, args: [], daemon: true }],
    },
  },
})
function* noise() {
  yield* atomic(scramble)
  return yield* tail(noise)
}
function scramble(view, k) {
  const wanted = NAMES[view.choose(NAMES.length)]
  const at = k.layout.locations.findIndex(({ name }) => name === wanted)
  view.set(at, (view.get(at) + 1) % 256)
  return 0
}
`
}
