/** Plausible mistakes in what talks to Gemini and Cloudinary. */
import type { Mutants } from './rules.ts';

const cloudinaryFailuresTest = 'test/shared/images/cloudinaryFailures.test.ts';

export const inImagegen: Mutants = {
  'a state that nobody knows is ready': {
    find: "if ($N === 'state') $P.state = 'off'",
    replace: '',
    killedBy: 'test/shared/imagegen/quotaState.test.ts',
  },
  'an image that a shutdown cuts off is not billed': {
    find: '$P.providerCostMicros += getImageCost($$$A)',
    replace: '',
    killedBy: 'test/shared/imagegen/shutdownCost.test.ts',
  },
  'an image is called unreadable although its turn may be': {
    find: "$R !== 'REFERENCE_UNREADABLE' && $K !== 'refused'",
    replace: "$K !== 'refused'",
    killedBy: 'test/shared/imagegen/previousTurn.test.ts',
  },
  'an image of a lower resolution is delivered': {
    find: '$S * 100 < $U * sideMinPercent',
    replace: '$S * 100 < $U * 50',
    killedBy: 'test/shared/imagegen/usableImage.test.ts',
  },
  'a side that is a little too short is enough': {
    find: 'const sideMinPercent = 90',
    replace: 'const sideMinPercent = 89;',
    killedBy: 'test/shared/imagegen/usableImage.test.ts',
  },
  'only one side is measured': {
    find: 'isShort($W, $A.width) || isShort($H, $B.height)',
    replace: 'isShort($W, $A.width)',
    killedBy: 'test/shared/imagegen/usableImage.test.ts',
  },
  'a model is asked for a resolution that it does not have': {
    find: 'hasResolution($M, $R) && $$$T',
    replace: '$$$T',
    killedBy: 'test/shared/generation/resolutions.test.ts',
  },
};

export const inImages: Mutants = {
  'an image at an address without TLS is accepted': {
    find: "$P === 'https:' || $R",
    replace: "$P === 'https:' || $P === 'http:'",
    killedBy: cloudinaryFailuresTest,
  },
  'how long the store wants us to wait is not passed on': {
    find: '$S && { retryAfterSeconds }',
    replace: '{}',
    killedBy: cloudinaryFailuresTest,
  },
  'a fault of the store is logged in its own words': {
    find: { pattern: 'const $R = messages.find($$$A)?.[1]' },
    replace: 'const $R = message as StoreFault;',
    killedBy: cloudinaryFailuresTest,
  },
};

export const inPrompts: Mutants = {
  'enhancing a prompt ignores the deadline': {
    find: 'const $V = Math.min($T, $L)',
    replace: 'const $V = $T;',
    killedBy: 'test/shared/prompts/enhance.test.ts',
  },
  'an answer that was cut off is used': {
    find: "$F !== 'STOP'",
    replace: 'false',
    killedBy: 'test/shared/prompts/enhance.test.ts',
  },
};
