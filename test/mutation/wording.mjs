// A plugin for Stryker: what a design says of itself is for people, and no test is to pin it down.

const WORDS = new Set(['because', 'belief', 'sources', 'title', 'what', 'where'])

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'wording',
    value: {
      shouldIgnore(path) {
        const { key, id } = path.isObjectProperty() || path.isVariableDeclarator() ? path.node : {}
        return WORDS.has((key ?? id)?.name) ? 'for people to read' : undefined
      },
    },
  },
]
