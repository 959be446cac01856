/** The facts about models: each has a source and the day of its last check, and `npm run models:check` names the old ones. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { imageModelFacts, textModelFacts } from '../../shared/imagegen/modelFacts.ts';
import { imageModels } from '../../shared/imagegen/models.ts';
import { checkFacts, facts } from '../../tools/modelsCheck.ts';

const at = (day: string) => new Date(`${day}T12:00:00Z`);
const fact = { model: 'a', name: 'sizes', source: 'https://example.com', isConfirmed: true } as const;

describe('every fact', () => {
  it.each(facts)('$model $name has a source and a day', ({ source, isConfirmed, checkedOn }) => {
    expect(source).not.toBe('');
    if (isConfirmed) expect(source).toMatch(/^https:\/\/(ai\.google\.dev|docs\.cloud\.google\.com)\//);
    expect(checkedOn).toMatch(/^2\d{3}-[01]\d-[0-3]\d$/);
    expect(Date.parse(checkedOn)).toBeLessThanOrEqual(Date.now());
  });

  it('about every model is in the table, and names successors that exist', () => {
    const ids = [...Object.keys(imageModelFacts), ...Object.keys(textModelFacts)];
    expect(new Set(facts.map(({ model }) => model))).toEqual(new Set(ids));
    expect(imageModels.map(({ id }) => id)).toEqual(Object.keys(imageModelFacts));
    const ends = [...Object.values(imageModelFacts), ...Object.values(textModelFacts)].map(
      ({ end }) => end.value,
    );
    for (const { status, successor } of ends) {
      if (status !== 'available') expect(ids).toContain(successor);
    }
  });
});

describe('a fact', () => {
  it.each([
    ['2026-08-28', true],
    ['2026-08-27', false],
  ])('checked on %s is fresh on 2026-11-26: %s', (checkedOn, isFresh) => {
    expect(checkFacts([{ ...fact, checkedOn }], at('2026-11-26')).isFresh).toBe(isFresh);
  });

  it('that is old is printed with its age and source, oldest first', () => {
    const all = [
      { ...fact, checkedOn: '2026-08-01' },
      { ...fact, checkedOn: '2026-11-01' },
      { ...fact, name: 'end', isConfirmed: false, checkedOn: '2026-07-01' },
    ];
    expect(checkFacts(all, at('2026-11-26')).lines).toEqual([
      'a end: checked on 2026-07-01, 148 days ago; not confirmed by Google: https://example.com',
      'a sizes: checked on 2026-08-01, 117 days ago; https://example.com',
      '2 of 3 facts in shared/imagegen/modelFacts.ts were last checked more than 90 days ago. 1 are not confirmed by Google; --all lists every fact.',
    ]);
  });
});

it('npm run models:check prints a summary, and every fact with --all', () => {
  const run = (...args: string[]) => {
    try {
      return execFileSync(process.execPath, ['tools/modelsCheck.ts', ...args], { encoding: 'utf8' });
    } catch (error) {
      // It fails once facts are old.
      return (error as { stdout: string }).stdout;
    }
  };
  expect(run()).toContain(`${facts.length} facts in shared/imagegen/modelFacts.ts`);
  expect(run('--all').split('\n').length).toBeGreaterThan(facts.length);
});
