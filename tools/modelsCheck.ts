/**
 * `npm run models:check`: prints the facts about models that were not checked for 90 days, each with its source. Fails if
 * there are any. With --all it prints every fact.
 */
import { type Fact, imageModelFacts, textModelFacts } from '../shared/imagegen/modelFacts.ts';
import { say } from './say.ts';

const daysMax = 90;
const dayMs = 86_400_000;

type NamedFact = Pick<Fact<unknown>, 'source' | 'isConfirmed' | 'checkedOn'> & {
  model: string;
  name: string;
};

export const facts: readonly NamedFact[] = [imageModelFacts, textModelFacts].flatMap((table) =>
  Object.entries(table).flatMap(([model, ofModel]) =>
    Object.entries(ofModel).map(([name, fact]) => ({ model, name, ...fact })),
  ),
);

const getAgeDays = ({ checkedOn }: NamedFact, now: Date) =>
  Math.floor((now.getTime() - Date.parse(checkedOn)) / dayMs);

/** The facts that need another look, oldest first. */
export const findStale = (all: readonly NamedFact[], now: Date): NamedFact[] =>
  all
    .filter((fact) => getAgeDays(fact, now) > daysMax)
    .sort((a, b) => a.checkedOn.localeCompare(b.checkedOn));

export function formatFact(fact: NamedFact, now: Date): string {
  const { model, name, source, isConfirmed, checkedOn } = fact;
  const doubt = isConfirmed ? '' : 'not confirmed by Google: ';
  return `${model} ${name}: checked on ${checkedOn}, ${getAgeDays(fact, now)} days ago; ${doubt}${source}`;
}

/** The lines to print, and whether nothing is stale. */
export function checkFacts(all: readonly NamedFact[], now: Date): { lines: string[]; isFresh: boolean } {
  const stale = findStale(all, now);
  const unconfirmed = all.filter(({ isConfirmed }) => !isConfirmed).length;
  const summary = stale.length > 0 ? `${stale.length} of` : 'None of';
  return {
    lines: [
      ...stale.map((fact) => formatFact(fact, now)),
      `${summary} ${all.length} facts in shared/imagegen/modelFacts.ts were last checked more than ${daysMax} days ago. ` +
        `${unconfirmed} are not confirmed by Google; --all lists every fact.`,
    ],
    isFresh: stale.length === 0,
  };
}

if (import.meta.main) {
  const now = new Date();
  const { lines, isFresh } = checkFacts(facts, now);
  const all = process.argv.includes('--all') ? facts.map((fact) => formatFact(fact, now)) : [];
  for (const line of [...all, ...lines]) say(line);
  if (!isFresh) process.exitCode = 1;
}
