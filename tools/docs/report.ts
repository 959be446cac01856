/** What a run will do, for a person. */
import type { Plan } from './plan.ts';

export function report({ moves, rewrites, made, conflicts, unsorted, damaged }: Plan): string[] {
  const links = [...rewrites.values()].reduce((sum, count) => sum + count, 0);
  return [
    ...section(
      `Moves: ${moves.size}`,
      [...moves].map(([path, to]) => `${path} → ${to}`),
    ),
    ...section(
      `Links rewritten: ${links} in ${rewrites.size} documents`,
      [...rewrites].map(([path, count]) => `${path}: ${count}`),
    ),
    ...section(`Made anew: ${made.length}`, made),
    ...listed('Conflicts, left where they are', conflicts),
    ...listed('Nobody can say where these belong (a line `shelf: …` in the front matter can)', unsorted),
    ...section(
      'Only one of the two comments around a part that this command makes: left as it is',
      damaged,
      true,
    ),
  ];
}

function section(title: string, lines: string[], onlyIfAny = false): string[] {
  return onlyIfAny && lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

const listed = (title: string, items: { path: string; why: string }[]) =>
  section(
    `${title}: ${items.length}`,
    items.map(({ path, why }) => `${path}: ${why}`),
    true,
  );
