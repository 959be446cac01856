/** The line of a request names its caller, whatever the outcome. */
import { expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';
import { createMemoryStudio } from '../../support/memoryStudio.ts';

const callers = await Promise.all(
  Object.entries(functions).flatMap(([name, module]) =>
    typeof module === 'function' ? [module().then(({ spec }) => ({ name, access: spec.access }))] : [],
  ),
);
const namesFor = (access: string) => callers.filter((one) => one.access === access).map(({ name }) => name);

it.each(namesFor('user'))('%s logs the uid of the user', async (name) => {
  const { call, lines } = createMemoryServices();
  await call(name, { as: 'user:ann', body: { unknown: true } });
  expect(lines.filter((line) => line.function === name)).toMatchObject([{ uid: 'ann' }]);
});

it.each(namesFor('admin'))('%s logs the uid of the admin', async (name) => {
  const { call, lines } = createMemoryServices();
  await call(name, { as: 'admin:root', query: { uid: 'ann' }, body: { unknown: true } });
  expect(lines.filter((line) => line.function === name)).toMatchObject([{ admin: 'root' }]);
});

it('a grant logs both the admin and the user whom it is for', async () => {
  const { call, lines, store } = createMemoryServices();
  store.commit([{ create: 'accounts/ann', data: { balance: 10 } }]);
  await call('grant', { as: 'admin:root', key: 'k', body: { uid: 'ann', amount: 5, reason: 'a gift' } });
  expect(lines.at(-1)).toMatchObject({ function: 'grant', outcome: 'ok', admin: 'root', uid: 'ann' });
});

it('a grant that is refused logs the user whom it would have been for', async () => {
  const { call, lines, store } = createMemoryServices();
  store.commit([{ create: 'accounts/ann', data: { balance: 10 } }]);
  await call('grant', { as: 'admin:root', key: 'k', body: { uid: 'ann', amount: -11, reason: 'a fine' } });
  expect(lines.at(-1)).toMatchObject({ outcome: 'refused', admin: 'root', uid: 'ann', amount: -11 });
});

it('the audit of one account logs whose it is', async () => {
  const { call, lines } = createMemoryServices();
  await call('audit', { as: 'admin:root', query: { uid: 'ann' } });
  expect(lines.at(-1)).toMatchObject({ outcome: 'refused', admin: 'root', uid: 'ann' });
});

it('an image that cannot be deleted is logged with its user', async () => {
  const { sweep, findEvents, generate, deleteGeneration } = createMemoryStudio({
    imageStore: { destroy: () => Promise.reject(new Error('no')) },
  });
  const { body } = await generate('k');
  await deleteGeneration(body.generation.id);
  await sweep();
  for (const line of findEvents('image_not_deleted')) expect(line).toMatchObject({ uid: 'ann' });
  expect(findEvents('image_not_deleted').length).toBeGreaterThan(0);
});
