/** An esbuild plugin that applies rules.ts: it replaces files of packages, or delays loading them. */
import { readFileSync } from 'node:fs';
import type { Loader, OnLoadResult, Plugin } from 'esbuild';
import { keepServices } from './protos.ts';
import type { Rule } from './rules.ts';

/** Marks an import of the original file, where a replacement has its path. */
const originalSuffix = '?itself';

/**
 * Creates the plugin. A rule that matches no file fails the build: an update has moved the file, and the code that the
 * rule keeps out may be in the bundle again.
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
          .map(({ file }) => ({ text: `A rule of the bundle matches no file: ${file}` })),
      }));
    },
  };
}

function createReplacement(rule: Rule, path: string): OnLoadResult {
  const toResult = (loader: Loader, contents: string) => ({ loader, contents });
  if ('stub' in rule) return toResult('js', createStub(rule.file));
  if ('replacement' in rule) return toResult('js', rule.replacement);
  if ('lazy' in rule) return toResult('js', later(`${path}${originalSuffix}`));
  return toResult(
    'json',
    JSON.stringify(keepServices(JSON.parse(readFileSync(path, 'utf8')), rule.services)),
  );
}

/**
 * A CommonJS module that throws when it is used. The proxy is the prototype of the exports, because bundlers copy an
 * object's own properties, and this object has none.
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

/** A CommonJS module that loads another one at its first use. It has a proxy as prototype, as above. */
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
