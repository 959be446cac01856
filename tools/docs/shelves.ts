/** The shelves of docs/, and which document belongs on which. */
import { posix } from 'node:path';
import type { Document } from './markdown.ts';

export const shelves = {
  api: { title: 'API', holds: 'What can be called, and what it answers.' },
  setup: { title: 'Setup', holds: 'How to install it, and how to change what it does.' },
  deployment: { title: 'Deployment', holds: 'How it gets to where it runs, and back.' },
  testing: { title: 'Testing', holds: 'The tests, and what they show.' },
  features: { title: 'Features', holds: 'What it does.' },
  audit: { title: 'Audit', holds: 'Security, performance, and what reviews found.' },
  guides: { title: 'Guides', holds: 'How to do one thing, step by step.' },
  completed: { title: 'Completed', holds: 'What was done and decided, and why.' },
  newfeature: { title: 'New features', holds: 'What is planned or proposed.' },
};
export type Shelf = keyof typeof shelves;
export const shelfNames = Object.keys(shelves) as Shelf[];
const isShelf = (name: unknown): name is Shelf => typeof name === 'string' && Object.hasOwn(shelves, name);

/**
 * What the words of a file's name say. An earlier row goes over a later one: whether something is done or
 * planned says more than what it is about, and that says more than its form. Within a row, two that fit are
 * one too many. Words are whole: `latest` is no test, and `prefix` no fix.
 */
const patterns: [Shelf, RegExp][][] = [
  [
    [
      'completed',
      words('complete[ds]?|completion|done|finished|summar(?:y|ies)|(?:bug|hot)?fix(?:e[ds])?|implemented'),
    ],
    ['completed', words('resolved|change ?logs?|changes|release notes|post ?mortems?|decisions?')],
    [
      'newfeature',
      words('plan(?:s|ned|ning)?|proposals?|proposed|rfcs?|road ?maps?|new ?features?|to ?dos?'),
    ],
  ],
  [
    ['deployment', words('(?:re)?deploy\\p{L}*|hosting|cloud|cloud ?run')],
    ['testing', words('tests?|tested|testing|coverage|qa')],
    ['audit', words('audit\\p{L}*|security|reviews?|performance|bench ?mark\\p{L}*')],
    ['setup', words('set ?up|install\\p{L}*|environments?|env|quick ?start|getting started')],
    ['api', words('apis?|end ?points?|references?')],
  ],
  [
    ['features', words('features?')],
    ['guides', words('guides?|how ?to|tutorials?')],
  ],
];

function words(alternatives: string): RegExp {
  return new RegExp(` (?:${alternatives}) `, 'u');
}

/** ` deployment guide ` of `DEPLOYMENT_GUIDE.md`, `deploymentGuide.md` and the like. */
export function wordsOf(path: string): string {
  const name = posix
    .basename(path)
    .replace(/\.[^.]*$/, '')
    .normalize('NFC');
  const apart = name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/(\p{L})(\p{N})/gu, '$1 $2')
    .replace(/(\p{N})(\p{L})/gu, '$1 $2');
  return ` ${apart
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean)
    .join(' ')} `;
}

/** The shelves that the name fits equally well; none, where it says nothing. */
export function shelvesByName(path: string): Shelf[] {
  const name = wordsOf(path);
  for (const row of patterns) {
    const fitting = row.filter(([, pattern]) => pattern.test(name)).map(([shelf]) => shelf);
    if (fitting.length > 0) return [...new Set(fitting)];
  }
  return [];
}

export const isMarkdown = (path: string) => /\.(?:md|markdown)$/i.test(path);
const isReadme = (path: string) => /^readme\.(?:md|markdown)$/i.test(posix.basename(path));

/** What people and tools look for at the root. */
const atRoot =
  /^(?:start_here|contributing|license|changelog|security|code_of_conduct|support|governance|agents|claude)\.(?:md|markdown)$/i;

/** Folders whose Markdown is none of ours: neither read nor moved. */
const others = /^(?:node_modules|dist|vendor|third_party|fixtures|__fixtures__|testdata)$/;
export function isLeftAlone(path: string): boolean {
  const folders = path.split('/').slice(0, -1);
  if (posix.basename(path).startsWith('.')) return true;
  return folders.some(
    (folder, depth) =>
      others.test(folder) || (folder.startsWith('.') && !(folder === '.github' && depth === 0)),
  );
}

/** The shelf that a path is on. */
export function shelfOfPath(path: string): Shelf | undefined {
  const [docs, shelf, file] = path.split('/');
  return docs === 'docs' && isShelf(shelf) && file !== undefined ? shelf : undefined;
}

/** Where a document belongs: `path` (which may be where it is), or why nobody can say. */
export type Place = { path: string } | { unsorted: string };

export function placeOf({ path, front }: Pick<Document, 'path' | 'front'>): Place {
  if (isReadme(path) || atRoot.test(path) || path.startsWith('.github/')) return { path };
  if (front?.error) return { unsorted: 'its front matter is no YAML' };
  const wanted = front?.shelf;
  if (wanted === 'stay') return { path };
  if (wanted !== undefined && wanted !== null) {
    if (!isShelf(wanted))
      return { unsorted: `its front matter names no shelf; one of ${shelfNames.join(', ')}, or stay` };
    return { path: shelfOfPath(path) === wanted ? path : onShelf(wanted, path) };
  }
  if (shelfOfPath(path)) return { path };
  const [shelf, ...more] = shelvesByName(path);
  if (shelf === undefined) return { unsorted: 'its name fits no shelf' };
  if (more.length > 0) return { unsorted: `its name fits ${[shelf, ...more].join(' and ')} equally` };
  return { path: onShelf(shelf, path) };
}

const onShelf = (shelf: Shelf, path: string) => `docs/${shelf}/${posix.basename(path)}`;
