/** The mutants fit the sources. `npm run test:mutants` tries each of them. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from './mutants.ts';
import { mutateAll } from './mutate.ts';

it('each mutant changes one place', () => {
  const mutations = [...mutateAll().values()];
  expect(mutations).toHaveLength(mutants.length);
  expect(mutations.filter(({ before, after }) => before === after)).toEqual([]);
});

it('each test that a mutant names exists', () => {
  const named = mutants.flatMap(({ killedBy }) => killedBy ?? []);
  expect(named.filter((file) => !existsSync(file))).toEqual([]);
});
