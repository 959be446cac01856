/** npm run docs -- --check finds each kind of fault with its line, and reports nothing else. */
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expandBraces, splitCommands } from '../../../tools/docs/checks.ts';
import { environmentTables, ownFolder, planGenerated } from '../../../tools/docs/generated.ts';
import { readDocument } from '../../../tools/docs/markdown.ts';
import { createFolders, runDocs } from './support.ts';

const folders = createFolders();
afterAll(folders.end);

const manifest = JSON.stringify({ scripts: { test: 'x', 'bench:load': 'x' } });
const around = {
  '.gitignore': '.env\n',
  'package.json': manifest,
  'run.sh': 'npm ci\nnpm test\n',
  'shared/generation/hold.ts': '',
  'docs/my file.txt': '',
  'docs/deep/README.md': '# Deep\n\n## Down\n',
};

/** The faults of a README with this text. */
async function faultsOf(text: string, more: Record<string, string> = {}): Promise<string[]> {
  const { code, said } = await runDocs(
    folders.committed({ ...around, ...more, 'README.md': text }),
    '--check',
  );
  const lines = said.trimEnd().split('\n').slice(0, -1);
  expect(code).toBe(lines.length === 0 ? 0 : 1);
  return lines;
}

describe('a link', () => {
  it.each([
    '[x](docs/my%20file.txt) [y](<docs/my file.txt>) [z](/docs/deep/) [w](docs) [v](.)',
    '[x](docs/deep/README.md#down) [y](docs/deep#down) [z](#top) [w](#) [v](?plain=1)',
    '# Über `code` & *more*!\n\n# Twice\n\n# Twice\n\n[x](#über-code--more) [y](#twice-1)',
    '[x](https://example.com/none.md) [y](mailto:a@b.c) [z](//example.com/x)',
    '`[x](none.md)`\n\n```md\n[x](none.md)\n```\n\n<!-- [x](none.md) <img src="none.png"> -->',
  ])('that leads somewhere is correct: %s', async (text) => expect(await faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    ['\n\n[x](none.md)', 'README.md:3: none.md leads to nothing in the folder'],
    ['![x](docs/none.png)', 'README.md:1: docs/none.png leads to nothing in the folder'],
    ['text\n\n[x]: none.md', 'README.md:3: none.md leads to nothing in the folder'],
    ['[x](Docs/deep)', 'README.md:1: Docs/deep leads to nothing in the folder'],
    ['[x](run.sh/)', 'README.md:1: run.sh/ leads to nothing in the folder'],
    ['[x](../other)', 'README.md:1: ../other leads to nothing in the folder'],
    ['[x](.env)', 'README.md:1: .env leads to nothing in the folder'],
    ['[x](#nowhere)', 'README.md:1: Cannot find heading for `#nowhere`'],
    ['# Twice\n\n[x](#twice-1)', 'README.md:3: Cannot find heading for `#twice-1`; did you mean `twice`'],
    ['[x](docs/deep#up)', 'README.md:1: Cannot find heading for `#up` in `docs/deep`'],
  ])('that leads nowhere is a fault: %s', async (text, fault) =>
    expect(await faultsOf(text)).toEqual([fault]),
  );
});

it.each([
  '<img src="run.sh">',
  "text <a class=x href='docs'>x</a>",
  '<p>\n<source srcset="none.png 2x"></p>',
])('a link in HTML is a fault: %s', async (text) =>
  expect(await faultsOf(text)).toEqual([
    expect.stringMatching(/^README.md:1: a link in HTML: write it in Markdown$/),
  ]),
);

describe('code named by its path', () => {
  it.each([
    '`shared/generation/hold.ts`, `shared/generation/hold.ts:12`, `shared/`, `./shared/generation`, `shared/*/hold.ts`, `shared/{generation,generation}/hold.ts`',
    '`accounts/{uid}`, `shared/{name}.ts`, `dist/x.js`, `a/b`, `shared`, `node shared/none.ts`, `shared/<name>.ts`',
  ])('exists, or is not a path of this tree: %s', async (text) => expect(await faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    ['`shared/none.ts`', 'shared/none.ts'],
    ['`shared/none/`', 'shared/none/'],
    ['`shared/ledger/*.js`', 'shared/ledger/*.js'],
    ['`shared/{generation,quota}`', 'shared/quota'],
  ])('that does not exist is a fault: %s', async (text, path) => {
    expect(await faultsOf(text)).toEqual([`README.md:1: \`${path}\` is not there`]);
  });

  it('may be missing in a proposal', async () => {
    const index = (title: string, line: string) =>
      `# ${title}\n\n<!-- index: made by npm run docs -->\n\n${line}\n\n<!-- end of index -->\n`;
    const more = {
      'docs/newfeature/x.md': '# X\n\n`shared/x.ts`\n',
      'docs/newfeature/README.md': index('New', '- [X](x.md): `shared/x.ts`'),
      'docs/README.md': index('Documents', '- [New](newfeature/README.md)'),
    };
    expect(await faultsOf('', more)).toEqual([]);
  });

  it('expands braces as a shell does', () => {
    expect(expandBraces('{a,b}/{c,d}.ts')).toEqual(['a/c.ts', 'a/d.ts', 'b/c.ts', 'b/d.ts']);
    expect(expandBraces('a/{b{c,d},e}')).toEqual(['a/bc', 'a/e', 'a/bd', 'a/e']);
    expect(expandBraces('accounts/{uid}')).toEqual(['accounts/{uid}']);
  });
});

describe('figures', () => {
  it.each([
    '| what | measured | command |\n|-|-|-|\n| p99 | 12 ms | `npm run bench:load -- --users 9` |\n| x | 1 | `node shared/generation/hold.ts` |',
    '| what | command | Figures |\n|-|-|-|\n| p99 | `npm test` | 3 |',
    'Measured with `npm test`: 12 ms.',
    'It is measured in credits.',
    '| what | costs |\n|-|-|\n| x | 12 |',
  ])('that name their command are correct: %s', async (text) => expect(await faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    [
      '| what | measured |\n|-|-|\n| p99 | 12 ms |',
      'README.md:1: a table of figures without a column "command"',
    ],
    [
      '| figure | command |\n|-|-|\n| 12 ms | `npm run bench:none` |',
      'README.md:3: figures whose command is neither an npm script nor a file',
    ],
    [
      '| figure | command |\n|-|-|\n| 12 ms | by hand |',
      'README.md:3: figures whose command is neither an npm script nor a file',
    ],
    ['Measured on a laptop: 12 ms.', 'README.md:1: measured figures without the command that measures them'],
  ])('without it are a fault: %s', async (text, fault) => expect(await faultsOf(text)).toEqual([fault]));
});

describe('a block of commands', () => {
  it('is line by line in the script that runs it', async () => {
    expect(await faultsOf('```sh run-by=run.sh\n# both\nnpm ci && npm test\n```')).toEqual([]);
    expect(await faultsOf('```sh run-by=run.sh\nnpm ci &&\\\n  npm t\n```')).toEqual([
      'README.md:1: `npm t` is not a line of run.sh',
    ]);
    expect(await faultsOf('```sh run-by=none.sh\nnpm ci\n```')).toEqual([
      'README.md:1: `npm ci` is not a line of none.sh',
    ]);
  });

  it('names existing npm scripts', async () => {
    expect(await faultsOf('```sh run\nnpm run none\n```')).toEqual([
      'README.md:1: `npm run none` is not an npm script',
    ]);
  });

  it('is split into commands', () => {
    expect(splitCommands('# why\na  b && c\n\nd \\\n  e\n')).toEqual(['a b', 'c', 'd e']);
  });
});

describe('a generated part', () => {
  it('is a fault if it is outdated, or if one of its comments is missing', async () => {
    const half = '# API\n\n<!-- end of index -->\n';
    const files = { 'docs/api/a.md': '# A\n', 'docs/api/README.md': half };
    expect(await faultsOf('', files)).toEqual([
      'docs/api/README.md: has only one of the comments around its index',
      'docs/README.md: is not as npm run docs generates it',
    ]);
  });
});

describe('the environment', () => {
  it('has a table row for each variable', () => {
    const described = z.string().meta({ default: '`x`' }).describe('what it does');
    expect(environmentTables({ Callers: { A: described, B: described } })).toBe(
      '## Callers\n\n| variable | default | effect |\n|-|-|-|\n| `A` | `x` | what it does |\n| `B` | `x` | what it does |',
    );
  });

  it('has its tables in docs/setup/environment.md of this repository', () => {
    const path = 'docs/setup/environment.md';
    const tree = {
      folder: ownFolder,
      files: new Set([path]),
      documents: new Map([[path, readDocument(path, '# Environment\n')]]),
      unreadable: new Set<string>(),
      linkTargets: new Set<string>(),
    };
    const { texts } = planGenerated(tree);
    expect(texts.get(path)).toContain(environmentTables());
  });

  it('rejects a variable without a default or an effect', () => {
    expect(() => environmentTables({ Callers: { A: z.string().describe('x') } })).toThrow('A has no default');
    expect(() => environmentTables({ Callers: { A: z.string().meta({ default: 'x' }) } })).toThrow(
      'A has no effect',
    );
  });
});

it('the documents of this repository are in order', async () => {
  expect(await runDocs('.', '--check')).toEqual({
    code: 0,
    said: expect.stringMatching(/^\d+ documents are in order\.\n$/),
  });
});
