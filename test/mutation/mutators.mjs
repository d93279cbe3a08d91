// Mutations of our own. Stryker's know nothing of steps, and a step that is missing or comes too
// early is what goes wrong in a kernel.

/** Takes one statement away. One that is alone in its block goes when Stryker empties the block. */
export const stepRemoval = {
  name: 'StepRemoval',
  *mutate(path) {
    if (!path.isExpressionStatement()) return
    const { parent, node } = path
    if (node.expression.callee?.type === 'Super') return
    if (parent.type === 'BlockStatement' && parent.body.length === 1) return
    yield { type: 'EmptyStatement' }
  },
}

/** Lets two neighbouring steps change places, where the second does not need what the first returns. */
export const stepOrder = {
  name: 'StepOrder',
  *mutate(path) {
    if (!path.isBlockStatement()) return
    const steps = path.get('body')
    for (let i = 0; i + 1 < steps.length; i++) {
      const [first, second] = [steps[i], steps[i + 1]]
      if (!isStep(first) || !isStep(second) || needs(second, first)) continue
      const body = [...path.node.body]
      body[i] = second.node
      body[i + 1] = first.node
      yield { type: 'BlockStatement', directives: [], body }
    }
  },
}

function isStep(path) {
  if (path.isExpressionStatement()) return path.node.expression.type === 'YieldExpression'
  return path.isVariableDeclaration() && path.node.declarations[0].init?.type === 'YieldExpression'
}

function needs(path, earlier) {
  const names = Object.keys(earlier.getBindingIdentifiers())
  let found = false
  path.traverse({
    Identifier({ node }) {
      if (names.includes(node.name)) found = true
    },
  })
  return found
}
