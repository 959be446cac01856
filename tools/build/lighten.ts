/** An esbuild plugin that keeps the rules of rules.ts. */
import { readFileSync } from 'node:fs';
import type { Loader, OnLoadResult, Plugin } from 'esbuild';
import { keepServices } from './protos.ts';
import type { Rule } from './rules.ts';

/** Marks the path of a file itself, where something else stands in its place. */
const originalSuffix = '?itself';

/**
 * The plugin for some rules. One whose file is not met any more fails the build: an update has moved it, and what
 * it was to keep out may be in again.
 */
export function lighten(rules: readonly Rule[]): Plugin {
  return {
    name: 'lighten',
    setup(build) {
      const usedRules = new Set<Rule>();
      build.onResolve({ filter: /\?itself$/ }, ({ path }) => ({
        path: path.slice(0, -originalSuffix.length),
        suffix: originalSuffix,
      }));
      build.onLoad({ filter: /\/node_modules\// }, ({ path, suffix }) => {
        const rule = rules.find(({ file }) => path.endsWith(`/node_modules/${file}`));
        if (!rule || suffix === originalSuffix) return undefined;
        usedRules.add(rule);
        return createReplacement(rule, path);
      });
      build.onEnd(() => ({
        errors: rules
          .filter((rule) => !usedRules.has(rule))
          .map(({ file }) => ({ text: `A rule of the bundle meets nothing any more: ${file}` })),
      }));
    },
  };
}

function createReplacement(rule: Rule, path: string): OnLoadResult {
  const as = (loader: Loader, contents: string) => ({ loader, contents });
  if ('stub' in rule) return as('js', createStub(rule.file));
  if ('replacement' in rule) return as('js', rule.replacement);
  if ('lazy' in rule) return as('js', later(`${path}${originalSuffix}`));
  return as('json', JSON.stringify(keepServices(JSON.parse(readFileSync(path, 'utf8')), rule.services)));
}

/**
 * A CommonJS module that throws when anything of it is used. The proxy is the prototype of what is exported:
 * bundlers copy an object's own properties, of which it has none.
 */
const createStub = (file: string) => `
const refuse = (name) => {
  throw new Error(${JSON.stringify(file)} + ': ' + name + ' is used, but tools/build/rules.ts left it out');
};
module.exports = Object.create(
  new Proxy({}, {
    get(_, key) {
      if (typeof key === 'symbol' || key === 'then') return undefined;
      return key === '__esModule' || refuse(key);
    },
    has: (_, key) => refuse(String(key)),
  }),
);
`;

/** A CommonJS module that is another one, read when something of it is asked for. The prototype is as above. */
const later = (path: string) => `
let module_;
const load = () => (module_ ??= require(${JSON.stringify(path)}));
module.exports = Object.create(
  new Proxy({}, {
    get(_, key) {
      if (key === '__esModule') return true;
      return key === 'default' && !load().__esModule ? load() : load()[key];
    },
    has: (_, key) => key in load(),
  }),
);
`;
