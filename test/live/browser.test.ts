/** The library in a browser: workers of a page in one process, in headless Chromium. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Statistic } from 'cowherd/live'
import { expect, inject, it } from 'vitest'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

/** What the page is given, by path. The workers are those of the soak under Node. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'test/live/page.html',
  '/dist/live.js': 'dist/live_web.js',
  '/test/live/employer.mjs': 'test/live/employer_web.mjs',
  '/test/live/owner_web.mjs': 'test/live/owner_web.mjs',
  '/test/live/random_operations.mjs': 'test/live/random_operations.mjs',
  '/test/live/threads_worker.mjs': 'test/live/threads_worker.mjs',
}

interface Found {
  readonly error?: string
  readonly reports: readonly { operations: number; wrong: readonly string[]; broken?: string }[]
  readonly end: { wrong?: string; leaked: number; statistics: Record<Statistic, number> }
  readonly onThePage: string
}

/** Serves the page; `found` is what it posts. */
async function serve(): Promise<{ server: Server; found: Promise<Found> }> {
  let resolve: (found: Found) => void
  const found = new Promise<Found>((settle) => {
    resolve = settle
  })
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost')
    // What makes a page cross-origin isolated, without which there is no SharedArrayBuffer.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    const file = FILES[pathname]
    if (request.method === 'POST') resolve(JSON.parse(await text(request)))
    else if (file === undefined) response.statusCode = 404
    else {
      response.setHeader('Content-Type', file.endsWith('.html') ? 'text/html' : 'text/javascript')
      response.write(readFileSync(file))
    }
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, found }
}

function browse(url: string, profile: string): ChildProcess {
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    ...[
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      '--remote-debugging-port=0',
    ],
  ]
  return spawn(CHROMIUM!, [...flags, `--user-data-dir=${profile}`, url], {
    stdio: 'ignore',
    detached: true,
  })
}

async function inBrowser(design: string): Promise<Found> {
  const { server, found } = await serve()
  const profile = mkdtempSync(join(tmpdir(), 'cowherd-chromium-'))
  const { port } = server.address() as AddressInfo
  const browser = browse(`http://127.0.0.1:${port}/?design=${design}`, profile)
  try {
    const gone = once(browser, 'exit').then(() => Promise.reject(new Error('Chromium has ended')))
    return await Promise.race([found, gone])
  } finally {
    // All of its processes: one that is left would go on writing to its profile.
    process.kill(-browser.pid!, 'SIGKILL')
    if (browser.exitCode === null && browser.signalCode === null) await once(browser, 'exit')
    server.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

// Where there is none, the name says why it is skipped.
const needs = CHROMIUM === undefined ? ' (there is no Chromium here)' : ''

it.skipIf(CHROMIUM === undefined).each(['v5.19', 'v7.3'])(
  `workers of a page share a process under %s and lose no byte${needs}`,
  { timeout: 120_000 },
  async (design) => {
    const { error, reports, end, onThePage } = await inBrowser(design)
    expect(error).toBeUndefined()
    expect(
      reports.flatMap(({ wrong, broken }) => [...wrong, ...(broken === undefined ? [] : [broken])]),
    ).toEqual([])
    expect(reports.map(({ operations }) => operations >= 150)).toEqual([true, true, true, true])
    expect(end).toMatchObject({ leaked: 0 })
    expect(end.wrong).toBeUndefined()
    const { copies, swapIns, swapOuts, forks, pins } = end.statistics
    expect(Math.min(copies, swapIns, swapOuts, forks, pins)).toBeGreaterThan(0)
    expect(onThePage).toContain('InvalidCall: this thread may not wait')
  },
)
