/** Mistakes in edits, groups and the images that a request uses. */
import { type Mutants, object, property } from './rules.ts';

const editsTest = 'test/shared/generation/edits.test.ts';
const groupsTest = 'test/shared/generation/groups.test.ts';
const sizesTest = 'test/shared/generation/imageSizes.test.ts';

export const inEdits: Mutants = {
  'an edit of an image that is not there is refused only after the debit': {
    find: '$R ?? refuseParent($A, $S)',
    replace: '$R',
    killedBy: editsTest,
  },
  'an image that was refunded can be edited': {
    find: "$R?.status === 'succeeded' ? $R.image : null",
    replace: '$R?.image ?? null',
    killedBy: editsTest,
  },
  'an edit of a deleted image comes from the cache': {
    find: 'editOf === undefined || sources.has(editOf)',
    replace: 'editOf === undefined || sources.size === 0',
    killedBy: editsTest,
  },
  'an edit loses the lineage of its parent': {
    find: '[id, ...ancestors].slice(0, $M)',
    replace: '[id]',
    killedBy: editsTest,
  },
  'a lineage has no end': {
    find: '[id, ...ancestors].slice(0, $M)',
    replace: '[id, ...ancestors]',
    killedBy: editsTest,
  },
  'an edit hands on a spoilt lineage': {
    find: 'z.array(generationIdSchema).max($M).optional()',
    replace: 'z.array(z.string()).optional()',
    killedBy: editsTest,
  },
  'the edited image comes after the references': {
    find: '[...($E === undefined ? [] : [$P]), ...references]',
    replace: '[...references, ...($E === undefined ? [] : [$P])]',
    killedBy: editsTest,
  },
  'the edited image does not count as a reference': {
    find: 'references.length + ($E === undefined ? 0 : 1)',
    replace: 'references.length',
    killedBy: editsTest,
  },
  'the same words for another image are the same request': {
    find: object('prompt, tier, orientation, enhance, fresh, references: $R, editOf, ...$S, group'),
    replace: '{ prompt, tier, orientation, enhance, fresh, references: $R, ...$S, group }',
    killedBy: editsTest,
  },
  'a key used with another group gets the answer of the first': {
    find: object('prompt, tier, orientation, enhance, fresh, references: $R, editOf, ...$S, group'),
    replace: '{ prompt, tier, orientation, enhance, fresh, references: $R, editOf, ...$S }',
    killedBy: groupsTest,
  },
  'the cache returns the edit of another image': {
    find: object('uid, modelId, prompt, tier, orientation, enhance, references, editOf, ...$S'),
    replace: '{ uid, modelId, prompt, tier, orientation, enhance, references, ...$S }',
    killedBy: editsTest,
  },
  'the turn of an image that was made from others is sent without them': {
    find: '$A !== undefined || $R.references.length > 0',
    replace: 'false',
    killedBy: editsTest,
  },
  'a deletion keeps what the user wrote': {
    find: property('originalPrompt: null'),
    replace: 'originalPrompt: undefined as never',
    killedBy: groupsTest,
  },
  'enhance does not keep what the user wrote': {
    find: '$R.originalPrompt ?? (enhance ? prompt : undefined)',
    replace: '$R.originalPrompt',
    killedBy: groupsTest,
  },
  'smaller versions may have more bytes together than a request': {
    find: 'more > bytesLeft || bytes > sentBytesMax',
    replace: 'more > 14_000_000 || bytes > sentBytesMax',
    killedBy: sizesTest,
  },
  'one image may have more bytes than Vertex AI takes': {
    find: 'more > bytesLeft || bytes > sentBytesMax',
    replace: 'more > bytesLeft',
    killedBy: sizesTest,
  },
};
