// Who has started this worker, in a browser: the first message says what it is to do.

export const job = await new Promise((resolve) => {
  addEventListener('message', ({ data }) => resolve(data), { once: true })
})

export function report(what) {
  postMessage(what)
}
