/**
 * docs/scaling.svg: states, time and memory against size, a panel for each of them and for each
 * number of processes. It has a background of its own, light or dark as the reader prefers.
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { BEYOND, type Measured, type ScalingRow } from './scaling_page.ts'

const WIDTH = 760
const PANEL = 200
const HEAD = 64
const LEFT = 62

interface Point {
  readonly processes: string
  readonly operations: number
  readonly pages: number
  readonly reduced: boolean
  readonly value: number
}

/** What is used here of an element of the document. */
interface Drawn {
  readonly innerHTML: string
  querySelectorAll(selector: string): Iterable<{ remove(): void }>
}

interface Quantity {
  readonly label: string
  readonly of: (measured: Measured) => number
}

const QUANTITIES: readonly Quantity[] = [
  { label: 'states', of: ({ states }) => states },
  { label: 'seconds', of: ({ seconds }) => seconds },
  { label: 'MiB', of: ({ bytes }) => bytes / 2 ** 20 },
]

/** Each can be told from the others, and from both backgrounds, also by those who see colours otherwise. */
const COLOURS = ['#1a7fd4', '#d4660a', '#8a63d2']
const DASHES = '5 3'

const STYLE = `
  svg { color: #1f2328; font-family: system-ui, sans-serif }
  .paper { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3 }
    .paper { fill: #0d1117 }
  }
`

/** The chart, as the text of an SVG file. */
export function drawScaling(rows: readonly ScalingRow[]): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const height = HEAD + QUANTITIES.length * PANEL
  const panels = QUANTITIES.map((quantity, i) => {
    const svg = panelsOf(rows, quantity, document, i === QUANTITIES.length - 1)
    for (const style of svg.querySelectorAll('style')) style.remove()
    const look = 'text-anchor="middle" font-size="10" fill="currentColor"'
    return `<g transform="translate(0,${HEAD + i * PANEL})" ${look}>${svg.innerHTML}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-size="11" role="img" aria-labelledby="title">`,
    `<title id="title">States, seconds and memory against the operations of each process</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>`,
    legend(),
    ...panels,
    '</svg>',
    '',
  ].join('\n')
}

function panelsOf(
  rows: readonly ScalingRow[],
  { label, of }: Quantity,
  document: unknown,
  last: boolean,
): Drawn {
  const points: Point[] = []
  const missing: Omit<Point, 'value'>[] = []
  for (const { processes, pages, operations, full, reduced } of rows) {
    for (const [measured, isReduced] of [
      [full, false],
      [reduced, true],
    ] as const) {
      const point = { processes: `${processes} processes`, operations, pages, reduced: isReduced }
      if (measured === BEYOND) missing.push(point)
      else points.push({ ...point, value: of(measured) })
    }
  }
  const values = points.map(({ value }) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  // Room below, and above for what is beyond.
  const span = most / least
  const [bottom, edge, top] = [least / span ** 0.05, most * span ** 0.1, most * span ** 0.16]
  const colour = ({ pages }: { readonly pages: number }): string => COLOURS[pages - 1]!
  const lines = [false, true].map((reduced) =>
    Plot.line(
      points.filter((point) => point.reduced === reduced),
      {
        x: 'operations',
        y: 'value',
        fx: 'processes',
        z: 'pages',
        stroke: colour,
        strokeWidth: 1.7,
        ...(reduced ? {} : { strokeDasharray: DASHES }),
      },
    ),
  )
  const offset = (point: Omit<Point, 'value'>): number =>
    point.operations + (2 * (point.pages - 2) + (point.reduced ? 0.5 : -0.5)) * 0.075
  return Plot.plot({
    document,
    width: WIDTH,
    height: PANEL,
    marginLeft: LEFT,
    marginRight: 14,
    marginTop: 24,
    marginBottom: last ? 38 : 26,
    x: {
      domain: [0.7, 4.3],
      ticks: [1, 2, 3, 4],
      tickFormat: 'd',
      label: last ? 'operations of each process' : null,
    },
    fx: { label: null, padding: 0.06, domain: ['2 processes', '3 processes', '4 processes'], axis: null },
    y: {
      type: 'log',
      domain: [bottom, top],
      grid: true,
      label,
      ticks: ticksBetween(bottom, most),
      tickFormat: short,
    },
    marks: [
      Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.25 }),
      ...lines,
      Plot.dot(points, { x: 'operations', y: 'value', fx: 'processes', r: 2.4, fill: colour }),
      Plot.dot(missing, {
        x: offset,
        y: edge,
        fx: 'processes',
        symbol: 'triangle',
        r: 3,
        fill: (point: Point) => (point.reduced ? colour(point) : 'none'),
        stroke: colour,
      }),
      Plot.text(['2 processes', '3 processes', '4 processes'], {
        fx: (name: string) => name,
        frameAnchor: 'top',
        dy: -15,
        text: (name: string) => name,
        fontWeight: 'bold',
      }),
    ],
  })
}

/** Powers of ten, or of two where there are few of those. */
function ticksBetween(least: number, most: number): number[] {
  const base = most / least > 100 ? 10 : 2
  const exponents = (n: number): number => Math.log(n) / Math.log(base)
  const first = Math.ceil(exponents(least))
  const count = Math.floor(exponents(most)) - first + 1
  return Array.from({ length: count }, (_, i) => base ** (first + i))
}

/** `10k`, `1M`, `0.1` */
function short(n: number): string {
  if (n >= 1e6) return `${n / 1e6}M`
  return n >= 10_000 ? `${n / 1e3}k` : String(Number(n.toPrecision(2)) === n ? n : Number(n.toPrecision(4)))
}

/** What colours, dashes and triangles mean: drawn by hand, since they are for all panels together. */
function legend(): string {
  const text = (x: number, y: number, words: string): string =>
    `<text x="${x}" y="${y}" fill="currentColor">${words}</text>`
  const line = (x: number, y: number, colour: string, dashes = ''): string =>
    `<line x1="${x}" y1="${y - 4}" x2="${x + 26}" y2="${y - 4}" stroke="${colour}" stroke-width="2"${dashes && ` stroke-dasharray="${dashes}"`}/>`
  const parts = [
    ...COLOURS.flatMap((colour, i) => [
      line(LEFT + 90 * i, 24, colour),
      text(LEFT + 90 * i + 32, 24, i === 0 ? '1 page' : `${i + 1} pages`),
    ]),
    line(LEFT, 46, 'currentColor', DASHES),
    text(LEFT + 32, 46, 'without reductions'),
    line(LEFT + 160, 46, 'currentColor'),
    text(LEFT + 192, 46, 'with reductions'),
    `<path d="M${LEFT + 310},38 l5,9 h-10 z" fill="none" stroke="currentColor"/>`,
    `<path d="M${LEFT + 326},38 l5,9 h-10 z" fill="currentColor"/>`,
    text(LEFT + 338, 46, 'beyond the limits, without and with reductions'),
  ]
  return `<g>${parts.join('')}</g>`
}
