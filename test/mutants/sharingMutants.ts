/** Mistakes in shares and take-downs. */
import { anywhere, type Mutants } from './rules.ts';

const spoiltTest = 'test/shared/sharing/takedown.spoilt.test.ts';

export const inShares: Mutants = {
  'deleting an image leaves its share': {
    find: 'endShares([record], $S, now)',
    replace: '{ writes: [], outboxItems: [] }',
  },
  'a take-down fails for a spoilt document': {
    find: '$R ?? ($D && recoverGeneration($D))',
    replace: '$R',
    killedBy: spoiltTest,
  },
  'a take-down leaves the shares that no generation names': {
    find: 'unnamed.map($S)',
    replace: '[]',
    killedBy: spoiltTest,
  },
  'an inline reference may be an image that the studio removed': {
    find: '$R.length > 0 ? removedReferences($R) : undefined',
    replace: 'undefined',
    killedBy: 'test/shared/sharing/takedown.test.ts',
  },
  'the sweep leaves a share whose copy it deletes': {
    find: { pattern: '$U && $T ? await endUnfinishedShare($L, $T) : $F' },
    replace: '$F',
  },
  'a share that was ended can still become public': {
    find: '[updateDocument(path, { isUnfinished: removed, dueAt }, $V), $D]',
    replace: '[updateDocument(path, { isUnfinished: removed, dueAt }, $V)]',
  },
  'a share that ends leaves its copy': {
    find: '[{ delete: sharePath($T) }, createOutboxItem($I)]',
    replace: '[{ delete: sharePath($T) }]',
  },
};

export const inSharing: Mutants = {
  'of two shares of one image the later one wins': {
    find: {
      pattern: 'if ($R.shareToken) return $R;',
      inside: anywhere({ pattern: 'function finishShare($$$A): $T { $$$B }' }),
    },
    replace: '',
  },
  'the copy of a share is signed without a look at the time': {
    find: '$I.store($N, $C, timeLeft(), $S)',
    replace: '$I.store($N, $C, 10_000, $S)',
  },
  'an image stays public if its generation does not name the share': {
    find: 'endShares([found], $S, now)',
    replace: 'endShares([found], [], now)',
    killedBy: 'test/shared/generation/spoiltDeletion.test.ts',
  },
  'a share that fails is left to the sweep without its copy': {
    find: 'createOutboxItem(toUnfinishedCopyItem($$$A))',
    replace: '{ delete: outboxPath(token) }',
  },
  'a take-down leaves the twins of the image': {
    find: { pattern: '[...twins, ...$M, ...$R].filter($S)' },
    replace: '[...$M, ...$R].filter($S)',
  },
  'a take-down logs only the generation that was named': {
    find: 'new Set([generationId, makerId])',
    replace: 'new Set([generationId])',
    killedBy: 'test/shared/erasures/eraseAgain.test.ts',
  },
};
