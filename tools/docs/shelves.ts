/** The shelves of docs/, and which document belongs on which. */
import { posix } from 'node:path';
import type { Document } from './markdown.ts';

export const shelves = {
  api: { title: 'API', about: 'What can be called, and what it answers.' },
  setup: { title: 'Setup', about: 'How to install it, and how to change what it does.' },
  deployment: { title: 'Deployment', about: 'How it gets to where it runs, and back.' },
  testing: { title: 'Testing', about: 'The tests, and what they show.' },
  features: { title: 'Features', about: 'What it does.' },
  audit: { title: 'Audit', about: 'Security, performance, and what reviews found.' },
  guides: { title: 'Guides', about: 'How to do one thing, step by step.' },
  completed: { title: 'Completed', about: 'What was done and decided, and why.' },
  newfeature: { title: 'New features', about: 'What is planned or proposed.' },
};
type Shelf = keyof typeof shelves;
export const shelfNames = Object.keys(shelves) as Shelf[];
const isShelf = (name: unknown): name is Shelf => typeof name === 'string' && Object.hasOwn(shelves, name);

/**
 * The words in a file's name that decide on its shelf. The first group with a match wins: a status (done, planned)
 * says more than the subject, and the subject says more than the form. Matches of two shelves in one group are a tie.
 * Only whole words match: `latest` is not a test.
 */
const patterns: Partial<Record<Shelf, string>>[] = [
  {
    completed:
      'complete[ds]?|completion|done|finished|summar(?:y|ies)|(?:bug|hot)?fix(?:e[ds])?|implemented|resolved|change ?logs?|changes|release notes|post ?mortems?|decisions?',
    newfeature: 'plan(?:s|ned|ning)?|proposals?|proposed|rfcs?|road ?maps?|new ?features?|to ?dos?',
  },
  {
    deployment: '(?:re)?deploy\\p{L}*|hosting|cloud|cloud ?run',
    testing: 'tests?|tested|testing|coverage|qa',
    audit: 'audit\\p{L}*|security|reviews?|performance|bench ?mark\\p{L}*',
    setup: 'set ?up|install\\p{L}*|environments?|env|quick ?start|getting started',
    api: 'apis?|end ?points?|references?',
  },
  { features: 'features?', guides: 'guides?|how ?to|tutorials?' },
];

/** Returns ` deployment guide ` for `DEPLOYMENT_GUIDE.md`, `deploymentGuide.md` and the like. */
function toWords(path: string): string {
  const name = posix.parse(path).name.normalize('NFC');
  const boundary = /\p{Ll}(?=\p{Lu})|\p{Lu}(?=\p{Lu}\p{Ll})|\p{L}(?=\p{N})|\p{N}(?=\p{L})/gu;
  const separated = name.replace(boundary, '$& ').toLowerCase();
  return ` ${(separated.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).join(' ')} `;
}

/** Returns the shelves that the name fits equally well, or none. */
export function shelvesByName(path: string): Shelf[] {
  const words = toWords(path);
  for (const group of patterns) {
    const fits = (shelf: string) => new RegExp(` (?:${group[shelf as Shelf]}) `, 'u').test(words);
    const fitting = Object.keys(group).filter(fits) as Shelf[];
    if (fitting.length > 0) return fitting;
  }
  return [];
}

export const isMarkdown = (path: string) => /\.(?:md|markdown)$/i.test(path);
export const isReadme = (path: string) => /^readme\.(?:md|markdown)$/i.test(posix.basename(path));

/** Files that people and tools look for at the root. */
const atRoot =
  /^(?:start_here|contributing|license|changelog|security|code_of_conduct|support|governance|agents|claude)\.(?:md|markdown)$/i;

/** True for Markdown in hidden folders and in code of others. It is neither read nor moved. */
export const isLeftAlone = (path: string) =>
  /(?:^|\/)(?:\.|(?:node_modules|dist|vendor|third_party|fixtures|__fixtures__|testdata)\/)/.test(
    path.replace(/^\.github\//, ''),
  );

/** Returns the shelf that a path is on. */
export function shelfOfPath(path: string): Shelf | undefined {
  const [docs, shelf, file] = path.split('/');
  return docs === 'docs' && isShelf(shelf) && file !== undefined ? shelf : undefined;
}

/** Returns where a document belongs (possibly where it is), or why that is unknown. */
export function findPlace(path: string, front: Document['front']): { path: string } | { unsorted: string } {
  if (isReadme(path) || atRoot.test(path) || path.startsWith('.github/')) return { path };
  if (front?.error) return { unsorted: 'its front matter is not valid YAML' };
  const choice = front?.shelf ?? shelfOfPath(path);
  if (choice === 'stay') return { path };
  if (choice !== undefined && !isShelf(choice))
    return { unsorted: `its front matter names no shelf; use one of ${shelfNames.join(', ')}, or stay` };
  const [shelf, ...ties] = choice ? [choice] : shelvesByName(path);
  if (shelf === undefined) return { unsorted: 'its name fits no shelf' };
  if (ties.length > 0) return { unsorted: `its name fits ${[shelf, ...ties].join(' and ')} equally` };
  return { path: shelfOfPath(path) === shelf ? path : `docs/${shelf}/${posix.basename(path)}` };
}
