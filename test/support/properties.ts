/**
 * fast-check from one seed, so that no run of the tests needs luck. The nightly run sets another TEST_SEED each night; a
 * failure there is replayed with `TEST_SEED=SEED npx vitest run FILE`.
 */
import fc from 'fast-check';

export const testSeed = Number(process.env.TEST_SEED ?? 1);
fc.configureGlobal({ seed: testSeed });

export { fc };
