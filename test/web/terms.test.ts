/** When the page asks for the terms, and what becomes of the calls that wait for the answer. */
import { signal } from '@preact/signals';
import { expect, test, vi } from 'vitest';
import type { Terms } from '../../shared/contract.ts';
import { ApiError } from '../../web/client.ts';
import { createTerms } from '../../web/state/terms.ts';

const refusal = (version: string) =>
  new ApiError('Please accept the terms first.', {
    code: 403,
    reason: 'TERMS_NOT_ACCEPTED',
    retry: 'no',
    metadata: { version, retry: 'no' },
  });

/** The terms of a page, on a studio whose current version is `current`. */
function createPage(current = '1') {
  const studio = { current, accepted: '', calls: 0, isBroken: false };
  const shown = signal<Terms | undefined>({ version: current, accepted: false });
  const accepted: string[] = [];
  const terms = createTerms(
    {
      async acceptTerms(version: string) {
        if (studio.isBroken) throw new Error('no network');
        if (version !== studio.current) {
          throw new ApiError('version must be the current one.', {
            code: 400,
            reason: 'INVALID_REQUEST',
            retry: 'no',
          });
        }
        studio.accepted = version;
        return {} as never;
      },
    },
    {
      terms: shown,
      async load() {
        shown.value = { version: studio.current, accepted: studio.accepted === studio.current };
      },
    },
    (version) => void accepted.push(version),
  );
  const call = async () => {
    studio.calls += 1;
    if (studio.accepted !== studio.current) throw refusal(studio.current);
    return 'an image';
  };
  const waitForQuestion = (version: string | undefined) =>
    vi.waitFor(() => expect(terms.question.value).toBe(version));
  return { studio, terms, call, accepted, waitForQuestion };
}

test('a call that is not refused asks nothing', async () => {
  const { terms } = createPage();
  expect(await terms.afterTerms(async () => 'an image')).toBe('an image');
  expect(terms.question.value).toBeUndefined();
});

test('a refused call goes on after the user accepts', async () => {
  const { studio, terms, call, accepted, waitForQuestion } = createPage();
  const image = terms.afterTerms(call);
  await waitForQuestion('1');
  await terms.accept();
  expect(await image).toBe('an image');
  expect([studio.accepted, studio.calls, accepted]).toEqual(['1', 2, ['1']]);
  expect(terms.question.value).toBeUndefined();
});

test('several refused calls ask once', async () => {
  const { studio, terms, call, waitForQuestion } = createPage();
  const images = Promise.all([terms.afterTerms(call), terms.afterTerms(call), terms.afterTerms(call)]);
  await waitForQuestion('1');
  await terms.accept();
  expect(await images).toEqual(['an image', 'an image', 'an image']);
  expect(studio.calls).toBe(6);
});

test.each(['decline', 'close'] as const)(
  'after %s the call fails with its refusal, and the next one asks again',
  async (end) => {
    const { terms, call, waitForQuestion } = createPage();
    const image = terms.afterTerms(call);
    await waitForQuestion('1');
    terms[end]();
    await expect(image).rejects.toMatchObject({ reason: 'TERMS_NOT_ACCEPTED' });
    void terms.afterTerms(call).catch(() => {});
    await waitForQuestion('1');
  },
);

test('another failure is thrown without a question', async () => {
  const { terms } = createPage();
  await expect(terms.afterTerms(() => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  expect(terms.question.value).toBeUndefined();
});

test('an answer in another window ends the question', async () => {
  const { studio, terms, call, waitForQuestion } = createPage();
  const image = terms.afterTerms(call);
  await waitForQuestion('1');
  studio.accepted = '1';
  terms.onAccepted('1');
  expect(await image).toBe('an image');
  expect(terms.question.value).toBeUndefined();
});

test('an earlier answer in another window needs no question', async () => {
  const { studio, terms } = createPage();
  let calls = 0;
  const image = terms.afterTerms(async () => {
    calls += 1;
    if (calls > 1) return 'an image';
    studio.accepted = '1';
    throw refusal('1');
  });
  expect(await image).toBe('an image');
  expect(terms.question.value).toBeUndefined();
});

test('a failure to accept is shown, and the question stays open', async () => {
  const { studio, terms, call, waitForQuestion } = createPage();
  const image = terms.afterTerms(call);
  await waitForQuestion('1');
  studio.isBroken = true;
  await terms.accept();
  expect([terms.question.value, terms.problem.value]).toEqual(['1', expect.stringMatching(/try again/)]);
  studio.isBroken = false;
  await terms.accept();
  expect(await image).toBe('an image');
  expect(terms.problem.value).toBe('');
});

test('terms that change while the question is open are asked for instead', async () => {
  const { studio, terms, call, waitForQuestion } = createPage();
  const image = terms.afterTerms(call);
  await waitForQuestion('1');
  studio.current = '2';
  await terms.accept();
  expect(terms.question.value).toBe('2');
  await terms.accept();
  expect(await image).toBe('an image');
  expect(studio.accepted).toBe('2');
});
