/** Mistakes in what receives requests. */
import { anywhere, type Mutants } from './rules.ts';

const connectionsTest = 'test/shared/http/connections.test.ts';

export const inHttp: Mutants = {
  'a request that arrived too late is not sent again': {
    find: { pattern: "{ retry: 'same_key' }", inside: anywhere({ pattern: 'const refusals: $T = $O' }) },
    replace: "{ retry: 'no' }",
    killedBy: connectionsTest,
  },
  'a process that stood still refuses the requests that waited': {
    find: 'const $M = Math.max(0, $S - $T)',
    replace: 'const $M = 0 * ($S - $T);',
    killedBy: connectionsTest,
  },
  'a large body is read before its account is known': {
    find: 'if ($L > $M) await $A?.()',
    replace: '',
    killedBy: 'test/shared/http/largeBody.test.ts',
  },
};
