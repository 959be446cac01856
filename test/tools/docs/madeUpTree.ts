/**
 * Generates a tree of documents from a seed. A document is a list of texts, which must stay byte for byte, and
 * destinations, which must lead to the same document after a run.
 */
import { posix } from 'node:path';
import { createRandom, type Random } from '../../simulation/random.ts';

export type Piece = string | { written: string; target: string; suffix: string };
export type MadeUp = { path: string; id: string; chunks: Piece[] };
export type MadeUpTree = { documents: MadeUp[]; files: string[] };

const folders = [
  '',
  '',
  '',
  'notes',
  'src',
  'src/deep folder',
  'src/ünï/öde',
  'packages/a&b',
  'docs',
  'docs/misc',
  'docs/setup',
  'docs/api',
  'docs/api/v2',
  'docs/completed',
  '.github',
];
const stems = [
  'DEPLOYMENT_GUIDE',
  'deploy',
  'test-plan',
  'coverage 100%',
  'Security Review',
  'quickstart',
  'API_REFERENCE',
  'endpoints',
  'feature (new)',
  'how-to paint',
  'FIX_SUMMARY',
  'roadmap',
  'Überblick setup',
  'プラン rfc',
  "it's done #1",
  'notes',
  'api-testing',
  'umgebung & env',
  'a_b_benchmark_',
  'tutorial[1]',
];
const others = [
  'src/main.ts',
  'assets/bild ü.png',
  'assets/a(1).svg',
  'notes/data.json',
  'LICENSE',
  'docs/media/x.png',
];

/** Front matter of documents. Most have none. */
const fronts = [
  '',
  '',
  '',
  '',
  '---\nshelf: guides\n---\n',
  '---\nshelf: stay\ntitle: "a: b"\n---\n',
  '---\nshelf: attic\n---\n',
  '---\nshelf: [\n---\n',
];

export function madeUpTree(seed: number, count: number): MadeUpTree {
  const random = createRandom(seed);
  const paths = new Set<string>();
  while (paths.size < count) {
    const folder = random.pick(folders);
    const name = random.chance(1 / 12)
      ? 'README'
      : `${random.pick(stems)}${random.chance(1 / 3) ? '' : ` ${paths.size}`}`;
    paths.add(posix.join(folder, `${name}${random.pick(['.md', '.md', '.md', '.markdown'])}`));
  }
  const all = [...paths];
  const targets = [...all, ...all, ...others, ...new Set(all.map((path) => posix.dirname(path)))];
  const documents = all.map((path, index) => ({
    path,
    id: `the-id-of-${index}.`,
    chunks: piecesOf(random, path, `the-id-of-${index}.`, () => random.pick(targets)),
  }));
  return { documents, files: others };
}

/** The pieces of a document, all with the same line ending. */
function piecesOf(random: Random, path: string, id: string, target: () => string): Piece[] {
  const chunks: Piece[] = [
    `${random.pick(fronts)}# Title of ${id}\n\nA first \`code.span\` sentence. A second.\n\n`,
  ];
  let number = 0;
  const destination = (): Piece => destinationOf(random, path, target());
  for (let block = random.whole(1, 9); block > 0; block -= 1) {
    number += 1;
    chunks.push(...random.pick(blocks)(destination, `n${number}`), '\n\n');
  }
  const readme = /readme/i.test(path) && random.chance(1 / 2);
  if (readme) chunks.push(`${oldIndex}\n\nHand-written below.`);
  if (random.chance(2 / 3)) chunks.push('\n');
  const lineEnd = random.chance(1 / 4) ? '\r\n' : '\n';
  const mark = random.chance(1 / 6) ? '\uFEFF' : '';
  return [
    mark,
    ...chunks.map((piece) => (typeof piece === 'string' ? piece.replaceAll('\n', lineEnd) : piece)),
  ];
}

const oldIndex = '<!-- index: made by npm run docs -->\n\n- [old](old.md)\n\n<!-- end of index -->';

type Block = (destination: () => Piece, n: string) => Piece[];

const blocks: Block[] = [
  (to, n) => [`A [link ${n}](`, to(), `) in ${n}, and ![an image](`, to(), ` "its ${n} title").`],
  (to, n) => [`[![badge ${n}](`, to(), `) ${n}](`, to(), `) ${n} end`],
  (to, n) => [
    `See [${n}] and [text][other ${n}].\n\n[${n}]: `,
    to(),
    `\n[other ${n}]: `,
    to(),
    ` 'title ${n}'`,
  ],
  (_, n) => [`<img src='deploy.md' alt=${n}> and <a class=x href="../deploy.md">${n}</a>`],
  (_, n) => [`<p align="center">\n<picture><source srcset="notes/deploy.md 2x"></picture> ${n}</p>`],
  (to, n) => [`> quoted [x](`, to(), `) ${n}`],
  (to, n) => [
    `- item [${n}](`,
    to(),
    `)\n  - nested ![${n}](`,
    to(),
    `)\n\n    1. deeper [${n}](`,
    to(),
    `) ${n}`,
  ],
  (to, n) => [`| a | b |\n|-|-|\n| [${n}](`, to(), `) | \`[no](no.md)\` ${n} |`],
  (to, n) => [`## Heading [${n}](`, to(), `) ${n}`],
  (to, n) => [`Foot[^${n}].\n\n[^${n}]: note [${n}](`, to(), `) ${n}`],
  (_, n) => [
    `\`\`\`\`md\n[code ${n}](DEPLOYMENT_GUIDE.md)\n\`\`\`\n[in: it](../deploy.md)\n\`\`\`\n\`\`\`\``,
  ],
  (_, n) => [`text ${n}\n\n    [indented](deploy.md)\n    [also]: notes/deploy.md`],
  (_, n) => [
    `\`[span ${n}](deploy.md)\` \\[escaped\\](deploy.md) [no link](with space.md) <!-- <a href="deploy.md"> -->`,
  ],
  (_, n) => [
    `[${n}](https://example.com/deploy.md) <mailto:x@example.com> [self](#title) [query](?plain=1) //deploy.md`,
  ],
  (_, n) => [`<!--\n[${n}](deploy.md)\n<img src="notes/deploy.md">\n-->`],
];

/** A target as people write it: encoded or not, rooted or not, with `./`, with an anchor. */
function destinationOf(random: Random, from: string, target: string): Piece {
  const rooted = random.chance(1 / 8);
  const relative = posix.relative(`/${posix.dirname(from)}`, `/${target}`) || '.';
  const path = rooted
    ? `/${target === '.' ? '' : target}`
    : random.chance(1 / 4)
      ? `./${relative}`
      : relative;
  const encoded = random.chance(1 / 2)
    ? encodeURI(path)
    : path.replace(/[ %]/g, (c) => (c === ' ' ? '%20' : '%25'));
  // These characters end a destination or an attribute, or have another meaning in it.
  const safe = encoded.replace(/[#()'&[\]:]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const suffix = /\.(?:md|markdown)$/.test(target) && random.chance(1 / 3) ? '#title-of-it' : '';
  return { written: safe + suffix, target: target === '.' ? '' : target, suffix };
}

export const textOf = ({ chunks }: MadeUp) =>
  chunks.map((piece) => (typeof piece === 'string' ? piece : piece.written)).join('');
