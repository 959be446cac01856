/** npm run docs -- --check: each fault is found, with its line, and what is right is left in peace. */
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commandsIn } from '../../../tools/docs/checks/commands.ts';
import { environmentFaults } from '../../../tools/docs/checks/environment.ts';
import { expandBraces } from '../../../tools/docs/checks/mentions.ts';
import { environmentTables } from '../../../tools/docs/environmentTable.ts';
import { readTree } from '../../../tools/docs/tree.ts';
import { createFolders, runDocs } from './support.ts';

const folders = createFolders();
afterAll(folders.end);

const manifest = JSON.stringify({ scripts: { test: 'x', 'bench:load': 'x' } });
const around = {
  'package.json': manifest,
  'run.sh': 'npm ci\nnpm test\n',
  'shared/generation/hold.ts': '',
  'docs/my file.txt': '',
  'docs/deep/README.md': '# Deep\n\n## Down\n',
};

/** What is said of a README with this text, but the line that counts the faults. */
function faultsOf(text: string, more: Record<string, string> = {}): string[] {
  const { code, said } = runDocs(folders.committed({ ...around, ...more, 'README.md': text }), '--check');
  const lines = said.trimEnd().split('\n').slice(0, -1);
  expect(code).toBe(lines.length === 0 ? 0 : 1);
  return lines;
}

describe('a link', () => {
  it.each([
    '[x](docs/my%20file.txt) [y](<docs/my file.txt>) [z](/docs/deep/) [w](docs) [v](.)',
    '[x](docs/deep/README.md#down) [y](docs/deep#down) [z](#top) [w](#) [v](?plain=1)',
    '# Über `code` & *more*!\n\n# Twice\n\n# Twice\n\n[x](#%C3%BCber-code--more) [y](#twice-1)',
    '<a id="own"></a><a name=other></a> [x](#own) [y](#other)',
    '[x](https://example.com/none.md) [y](mailto:a@b.c) [z](//example.com/x)',
    '`[x](none.md)`\n\n```md\n[x](none.md)\n```\n\n<!-- [x](none.md) <img src="none.png"> -->',
  ])('that leads somewhere is none: %s', (text) => expect(faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    ['\n\n[x](none.md)', 'README.md:3: none.md leads to nothing'],
    ['![x](docs/none.png)', 'README.md:1: docs/none.png leads to nothing'],
    ['text\n\n[x]: none.md', 'README.md:3: none.md leads to nothing'],
    ['<img src="none.png">', 'README.md:1: none.png leads to nothing'],
    ['<img src=docs/none.png> in words', 'README.md:1: docs/none.png leads to nothing'],
    ['[x](Docs/deep)', 'README.md:1: Docs/deep leads to nothing'],
    ['[x](run.sh/)', 'README.md:1: run.sh/ leads to a file as if it were a folder'],
    ['[x](../other)', 'README.md:1: ../other leads out of the folder'],
    ['[x](#nowhere)', 'README.md:1: #nowhere leads to a heading that is not there'],
    ['# Twice\n\n[x](#twice-1)', 'README.md:3: #twice-1 leads to a heading that is not there'],
    ['[x](docs/deep#up)', 'README.md:1: docs/deep#up leads to a heading that is not there'],
  ])('that does not is one: %s', (text, fault) => expect(faultsOf(text)).toEqual([fault]));
});

describe('code named by its path', () => {
  it.each([
    '`shared/generation/hold.ts`, `shared/generation/hold.ts:12`, `shared/`, `./shared/ledger`, `shared/*/hold.ts`, `shared/{ledger,ledger}/hold.ts`',
    '`accounts/{uid}`, `shared/{name}.ts`, `dist/x.js`, `a/b`, `shared`, `node shared/none.ts`, `shared/<name>.ts`',
  ])('is there, or no path of this tree: %s', (text) => expect(faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    ['`shared/none.ts`', 'shared/none.ts'],
    ['`shared/none/`', 'shared/none/'],
    ['`shared/ledger/*.js`', 'shared/ledger/*.js'],
    ['`shared/{ledger,quota}`', 'shared/quota'],
  ])('that is not there is a fault: %s', (text, path) => {
    expect(faultsOf(text)).toEqual([`README.md:1: \`${path}\` is not there`]);
  });

  it('need not be there yet in what is planned', () => {
    const index = (title: string, line: string) =>
      `# ${title}\n\n<!-- index: made by npm run docs -->\n\n${line}\n\n<!-- end of index -->\n`;
    const more = {
      'docs/newfeature/x.md': '# X\n\n`shared/x.ts`\n',
      'docs/newfeature/README.md': index('New', '- [X](x.md): `shared/x.ts`'),
      'docs/README.md': index('Documents', '- [New](newfeature/README.md)'),
    };
    expect(faultsOf('', more)).toEqual([]);
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
  ])('that name their command are fine: %s', (text) => expect(faultsOf(text)).toEqual([]));

  it.each<[string, string]>([
    [
      '| what | measured |\n|-|-|\n| p99 | 12 ms |',
      'README.md:1: a table of figures without a column "command"',
    ],
    [
      '| figure | command |\n|-|-|\n| 12 ms | `npm run bench:none` |',
      'README.md:3: figures whose command is no script of npm and no file',
    ],
    [
      '| figure | command |\n|-|-|\n| 12 ms | by hand |',
      'README.md:3: figures whose command is no script of npm and no file',
    ],
    [
      'Measured on a laptop: 12 ms.',
      'README.md:1: figures that were measured, and no command that measures them',
    ],
  ])('that do not are faults: %s', (text, fault) => expect(faultsOf(text)).toEqual([fault]));
});

describe('a block of commands', () => {
  it('stands line for line in the script that is said to run it', () => {
    expect(faultsOf('```sh run-by=run.sh\n# both\nnpm ci && npm test\n```')).toEqual([]);
    expect(faultsOf('```sh run-by=run.sh\nnpm ci &&\\\n  npm t\n```')).toEqual([
      'README.md:1: `npm t` is no line of run.sh',
    ]);
    expect(faultsOf('```sh run-by=none.sh\nnpm ci\n```')).toEqual([
      'README.md:1: `npm ci` is no line of none.sh',
    ]);
  });

  it('names scripts that there are', () => {
    expect(faultsOf('```sh run\nnpm run none\n```')).toEqual([
      'README.md:1: `npm run none` is no script of npm',
    ]);
  });

  it('is taken apart into commands', () => {
    expect(commandsIn('# why\na  b && c\n\nd \\\n  e\n')).toEqual(['a b', 'c', 'd e']);
  });
});

describe('what is made', () => {
  it('is a fault where it is out of date, and where one of its comments is missing, which a run leaves alone', () => {
    const half = '# API\n\n<!-- end of index -->\n';
    const files = { 'docs/api/a.md': '# A\n', 'docs/api/README.md': half };
    expect(faultsOf('', files)).toEqual([
      'docs/api/README.md: has only one of the comments around a part that is made',
      'docs/README.md: is not as npm run docs makes it',
    ]);
  });
});

describe('the environment', () => {
  it('has a row for each variable, and its tables must be in the document', () => {
    const described = z.string().meta({ default: '`x`' }).describe('what it does');
    expect(environmentTables({ Callers: { A: described, B: described } })).toBe(
      '## Callers\n\n| variable | default | effect |\n|-|-|-|\n| `A` | `x` | what it does |\n| `B` | `x` | what it does |',
    );
    const folder = folders.committed({ 'docs/setup/environment.md': '# Environment\n' });
    expect(environmentFaults(readTree(folder))).toHaveLength(1);
  });

  it('a variable that nobody describes is not documented silently', () => {
    expect(() => environmentTables({ Callers: { A: z.string().describe('x') } })).toThrow('A has no default');
    expect(() => environmentTables({ Callers: { A: z.string().meta({ default: 'x' }) } })).toThrow(
      'A has no effect',
    );
  });
});

it('the documents of this repository are in order', () => {
  expect(runDocs('.', '--check')).toEqual({
    code: 0,
    said: expect.stringMatching(/^\d+ documents are in order\.\n$/),
  });
});
