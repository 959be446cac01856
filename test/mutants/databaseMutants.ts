/** Mistakes in the database, its retries and its connections. */
import { anywhere, type Mutants, object } from './rules.ts';

const deadConnectionTest = 'test/shared/database/deadConnection.test.ts';
const retryCommitTest = 'test/shared/database/retryCommit.test.ts';

export const inDatabase: Mutants = {
  'a spoilt document takes its list with it': {
    find: 'if (!($E instanceof UnreadableDocument)) throw $E',
    replace: 'throw $E;',
    killedBy: 'test/shared/generation/spoiltGenerations.test.ts',
  },
  'a rejected commit is an error and not retried': {
    find: {
      pattern: 'if (!$F($E)) throw $E',
      inside: anywhere({
        kind: 'function_declaration',
        has: anywhere({ pattern: "'DATABASE_UNAVAILABLE'" }),
      }),
    },
    replace:
      "if ($E instanceof CommitRejected) throw new Failure('DATABASE_UNAVAILABLE', 'It was rejected.'); if (!$F($E)) throw $E;",
  },
  'the queue of an account is never forgotten': {
    find: 'if ($M.get($K) === $T) $M.delete($K)',
    replace: '',
    killedBy: retryCommitTest,
  },
  'a call may take as long as all its retries': {
    find: object('callMs: $A, connectMs: $B'),
    replace: '{ callMs: 10_000, connectMs: 10_000 }',
    killedBy: deadConnectionTest,
  },
  'a connection that has died is used again': {
    find: {
      pattern: 'if ($A || $F($E) === $D) $G($C)',
      inside: anywhere({ kind: 'catch_clause' }),
    },
    replace: '',
    killedBy: deadConnectionTest,
  },
  'a body that waited in line is tried once': {
    find: '$F > 0 && $F < $M',
    replace: 'false',
    killedBy: retryCommitTest,
  },
  'the time in line is not counted': {
    find: {
      pattern: 'const $T = $P.then(() => $R($B, $G, $C))',
      follows: { pattern: 'const $G = $E', stopBy: 'end' },
    },
    replace: 'const $T = $P.then(() => $R($B, $E, $C));',
    killedBy: retryCommitTest,
  },
  'a job continues after documents that it did not handle': {
    find: {
      pattern: 'async ($D) => { await $H($D).catch($E) }',
      inside: anywhere({ pattern: 'while ($W()) { $$$B }' }),
    },
    replace: 'async ($D) => { if ($W()) await $H($D).catch($E); }',
    killedBy: 'test/shared/database/forEachDocument.test.ts',
  },
};
