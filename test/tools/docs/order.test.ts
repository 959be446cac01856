/** What npm run docs guarantees, one guarantee a test, through the command itself. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFolders, git, runDocs, snapshot, write } from './support.ts';

const folders = createFolders();
afterAll(folders.end);

const strays = {
  'README.md': '# Studio\n\n[Deploy](DEPLOY.md) and [the API][api].\n\n[api]: notes/api.md#calls "API"\n',
  'DEPLOY.md': '# Deploying\n\nHow to [call it](notes/api.md). ![x](media/x.png)\n',
  'notes/api.md': '# The API\n\nIt has `calls`. More.\n\n## Calls\n\n[back](../README.md)\n',
  'media/x.png': 'x',
};

describe('a run', () => {
  it('moves strays, rewrites links, and makes indexes of titles and first sentences', async () => {
    const folder = folders.committed(strays);
    const { code, said } = await runDocs(folder);
    expect({ code, said }).toMatchObject({
      code: 0,
      said: expect.stringContaining('DEPLOY.md → docs/deployment/DEPLOY.md'),
    });
    expect(snapshot(folder)).toEqual({
      'README.md':
        '# Studio\n\n[Deploy](docs/deployment/DEPLOY.md) and [the API][api].\n\n[api]: docs/api/api.md#calls "API"\n',
      'docs/deployment/DEPLOY.md':
        '# Deploying\n\nHow to [call it](../api/api.md). ![x](../../media/x.png)\n',
      'docs/api/api.md': '# The API\n\nIt has `calls`. More.\n\n## Calls\n\n[back](../../README.md)\n',
      'media/x.png': 'x',
      'docs/README.md':
        '# Documents\n\n<!-- index: made by npm run docs -->\n\n- [API](api/README.md): What can be called, and what it answers.\n- [Deployment](deployment/README.md): How it gets to where it runs, and back.\n\n<!-- end of index -->\n',
      'docs/api/README.md':
        '# API\n\nWhat can be called, and what it answers.\n\n<!-- index: made by npm run docs -->\n\n- [The API](api.md): It has `calls`.\n\n<!-- end of index -->\n',
      'docs/deployment/README.md':
        '# Deployment\n\nHow it gets to where it runs, and back.\n\n<!-- index: made by npm run docs -->\n\n- [Deploying](DEPLOY.md): How to call it.\n\n<!-- end of index -->\n',
    });
    expect(await runDocs(folder, '--check')).toEqual({ code: 0, said: '6 documents are in order.\n' });
  });

  it('lists what it did', async () => {
    const { said } = await runDocs(folders.committed(strays));
    for (const words of [
      'DEPLOY.md → docs/deployment/DEPLOY.md\n',
      'docs/api/README.md: generated\n',
      'Moves: 2.',
    ])
      expect(said).toContain(words);
  });

  it('writes nothing with --check, which fails', async () => {
    const folder = folders.committed(strays);
    expect(await runDocs(folder, '--check')).toMatchObject({
      code: 1,
      said: expect.stringContaining('DEPLOY.md: belongs at'),
    });
    expect(snapshot(folder)).toEqual(strays);
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('does nothing the second time', async () => {
    const folder = folders.committed(strays);
    await runDocs(folder);
    const after = snapshot(folder);
    expect(await runDocs(folder)).toEqual({
      code: 0,
      said: 'Moves: 0. Generated: 0. Left as they are: 0.\n',
    });
    expect(snapshot(folder)).toEqual(after);
  });

  it('is undone by the command in the guide', async () => {
    const command = /^git (restore .*)$/m.exec(readFileSync('docs/guides/documents.md', 'utf8'))?.[1] ?? '';
    const folder = folders.committed(strays);
    write(folder, { 'media/other.txt': 'an uncommitted file that is not a document' });
    await runDocs(folder);
    git(folder, ...command.split(' ').map((word) => word.replaceAll("'", '')));
    expect(snapshot(folder)).toEqual({ ...strays, 'media/other.txt': expect.any(String) });
    expect(git(folder, 'status', '--porcelain')).toBe('?? media/other.txt\n');
  });

  it('keeps the text around an index, and its line endings', async () => {
    const region = ['<!-- index: made by npm run docs -->', 'old', '<!-- end of index -->'].join('\r\n\r\n');
    const folder = folders.committed({
      'docs/api/README.md': `# Calls\r\n\r\nAll of *them*. Really.\r\n\r\n${region}\r\n\r\n## By hand\r\n`,
      'docs/api/a.md': '# A [link](b.md)\n\n![badge](x.svg)\n\nUses \\*a_b\\*. Next.\n',
    });
    await runDocs(folder);
    const after = snapshot(folder);
    expect(after['docs/api/README.md']).toBe(
      `# Calls\r\n\r\nAll of *them*. Really.\r\n\r\n${region.replace('old', '- [A link](a.md): Uses \\*a_b\\*.')}\r\n\r\n## By hand\r\n`,
    );
    expect(after['docs/README.md']).toContain('- [Calls](api/README.md): All of them.\n');
  });

  it.each([
    ['![badge](x.svg)\n![badge](y.svg)\nRuns `a. B`\nfast, e.g. here. More.', 'Runs `a. B` fast, e.g. here.'],
    ['![badge](x.svg) ![badge](y.svg)\n\nIs *it* [a link](b.md)? Yes.', 'Is it a link?'],
    ['1.5 times (or more.) `x` is next.', '1.5 times (or more.)'],
    ['No end', 'No end'],
  ])('lists the first sentence: %s', async (text, sentence) => {
    const folder = folders.committed({ 'docs/api/a.md': `# A\n\n${text}\n` });
    await runDocs(folder);
    expect(snapshot(folder)['docs/api/README.md']).toContain(`\n- [A](a.md): ${sentence}\n`);
  });

  it('leaves alone ignored files, hidden folders and third-party code', async () => {
    const alone = {
      '.gitignore': 'build/\n',
      'build/deploy.md': '[x](../deploy.md)',
      '.vscode/deploy.md': '[x](../deploy.md)',
      'node_modules/a/deploy.md': '[x](../../../deploy.md)',
      'web/dist/deploy.md': '[x](../../deploy.md)',
      'test/fixtures/deploy.md': '[x](../../deploy.md)',
    };
    const folder = folders.committed({ ...alone, 'deploy.md': '# D\n', '.github/x.md': '[x](../deploy.md)' });
    await runDocs(folder);
    expect(snapshot(folder)).toMatchObject({ ...alone, '.github/x.md': '[x](../docs/deployment/deploy.md)' });
  });

  it('rewrites links with a single %', async () => {
    const folder = folders.committed({ 'deploy.md': '[x](100%.png) [y](100%%20b.png)\n' });
    await runDocs(folder);
    expect(snapshot(folder)['docs/deployment/deploy.md']).toBe(
      '[x](../../100%25.png) [y](../../100%25%20b.png)\n',
    );
  });

  it('keeps documents in git whose shelf git ignores', async () => {
    const folder = folders.committed({ '.gitignore': 'docs/deployment/\n', 'deploy.md': '# A\n' });
    await runDocs(folder);
    const tracked = git(folder, 'ls-files', 'docs').trim().split('\n');
    expect(tracked).toEqual(['docs/README.md', 'docs/deployment/README.md', 'docs/deployment/deploy.md']);
    expect((await runDocs(folder, '--check')).code).toBe(0);
  });

  it('keeps the file mode, and bytes without a meaning in Markdown', async () => {
    const folder = folders.committed({ 'deploy.md': '\uFEFF# D\0\r\n\r\n1.\t[x](a(b).md)\\' });
    chmodSync(join(folder, 'deploy.md'), 0o755);
    git(folder, 'commit', '-qam', 'executable');
    await runDocs(folder);
    expect(readFileSync(join(folder, 'docs/deployment/deploy.md'), 'utf8')).toBe(
      '\uFEFF# D\0\r\n\r\n1.\t[x](../../a%28b%29.md)\\',
    );
    expect(statSync(join(folder, 'docs/deployment/deploy.md')).mode & 0o777).toBe(0o755);
  });
});

describe('a document that cannot move is listed and stays', () => {
  const expectStays = async (files: Record<string, string>, ...words: string[]) => {
    const folder = folders.committed(files);
    const { said } = await runDocs(folder);
    for (const word of words) expect(said).toContain(word);
    expect(snapshot(folder)).toMatchObject(files);
    expect((await runDocs(folder, '--check')).code).toBe(1);
    return folder;
  };

  it('if another stray has the same name', async () => {
    await expectStays(
      { 'a/deploy.md': '# A\n', 'b/Deploy.md': '# B\n' },
      'Left as they are: 2',
      'a/deploy.md: cannot move: b/Deploy.md would be',
    );
  });

  it('if its new name is taken', async () => {
    await expectStays(
      { 'deploy.md': '# A\n', 'docs/deployment/DEPLOY.md': '# B\n' },
      'deploy.md: cannot move: docs/deployment/DEPLOY.md has the name',
    );
    await expectStays({ docs: 'a file', 'deploy.md': '# A\n' }, 'deploy.md: cannot move: docs has the name');
  });

  it('if two documents need to swap places; but a document whose place becomes free moves in the same run', async () => {
    const shelf = (name: string) => `---\nshelf: ${name}\n---\n# ${name}\n`;
    await expectStays(
      { 'docs/api/x.md': shelf('setup'), 'docs/setup/x.md': shelf('api') },
      'Left as they are: 2',
    );
    const folder = folders.committed({ 'docs/setup/x.md': shelf('api'), 'x.md': shelf('setup') });
    expect((await runDocs(folder)).said).toContain('Moves: 2');
    expect(snapshot(folder)).toMatchObject({
      'docs/api/x.md': shelf('api'),
      'docs/setup/x.md': shelf('setup'),
    });
  });

  it('if its name fits no shelf, or two', async () => {
    await expectStays(
      { 'thoughts.md': '# T\n', 'api-testing.md': '# T\n' },
      'thoughts.md: its name fits no shelf',
      'api-testing.md: its name fits testing and api equally',
    );
  });

  it('if its front matter is not valid YAML', async () => {
    await expectStays({ 'deploy.md': '---\nshelf: [\n---\n# D\n' }, 'its front matter is not valid YAML');
  });

  it('if it is not UTF-8, or a symbolic link leads to it', async () => {
    const folder = folders.committed({ 'api.md': '# A\n' });
    writeFileSync(join(folder, 'deploy.md'), Buffer.from([0x23, 0x20, 0xe4, 0x0a]));
    symlinkSync('api.md', join(folder, 'LINK.md'));
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'more');
    const { said } = await runDocs(folder);
    expect(said).toContain('deploy.md: cannot move: it is not UTF-8');
    expect(said).toContain('api.md: cannot move: a symbolic link leads to it');
    expect(readFileSync(join(folder, 'deploy.md'))).toEqual(Buffer.from([0x23, 0x20, 0xe4, 0x0a]));
    expect(existsSync(join(folder, 'api.md'))).toBe(true);
  });
});

describe('an index', () => {
  it('is never written through a symbolic link or over a file that is not UTF-8', async () => {
    const outside = folders.committed({ 'own.md': 'mine\n' });
    const folder = folders.committed({ 'docs/api/calls.md': '# Calls\n', 'docs/guides/one.md': '# One\n' });
    symlinkSync(join(outside, 'own.md'), join(folder, 'docs/api/README.md'));
    symlinkSync(join(outside, 'new.md'), join(folder, 'docs/README.md'));
    writeFileSync(join(folder, 'docs/guides/README.md'), Buffer.from([0x23, 0x20, 0xe4, 0x0a]));
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'more');
    const { said } = await runDocs(folder);
    for (const path of ['docs/api/README.md', 'docs/README.md', 'docs/guides/README.md'])
      expect(said).toContain(`${path}: should be an index, but is not a document`);
    expect(snapshot(outside)).toEqual({ 'own.md': 'mine\n' });
    expect(readFileSync(join(folder, 'docs/guides/README.md'))).toEqual(
      Buffer.from([0x23, 0x20, 0xe4, 0x0a]),
    );
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });
});

describe('a run that git could not undo', () => {
  it.each<[string, Record<string, string>]>([
    ['an uncommitted edit', { 'README.md': '# Mine\n' }],
    ['an untracked document', { 'new-plan.md': '# New\n' }],
  ])('is refused: %s', async (_, change) => {
    const folder = folders.committed(strays);
    write(folder, change);
    const [path = ''] = Object.keys(change);
    await expect(runDocs(folder)).rejects.toThrow(`Commit these documents first:\n  ${path}`);
    expect(snapshot(folder)).toEqual({ ...strays, ...change });
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'the change');
    expect((await runDocs(folder)).code).toBe(0);
    expect(snapshot(folder)).toHaveProperty(['docs/deployment/DEPLOY.md']);
  });

  it.each([[[]], [['--check']]])('is refused outside a git repository: %s', async (flags) => {
    const folder = folders.plain(strays);
    await expect(runDocs(folder, ...flags)).rejects.toThrow('not a git repository');
    expect(snapshot(folder)).toEqual(strays);
  });

  it('changes nothing in a folder that git ignores', async () => {
    const files = { '.gitignore': 'ignored/\n', 'ignored/deploy.md': '# D\n' };
    const folder = folders.committed(files);
    await runDocs(join(folder, 'ignored'));
    expect(snapshot(folder)).toEqual(files);
  });

  it('is allowed if only indexes change', async () => {
    const folder = folders.committed({ 'docs/api/a.md': '# A\n' });
    write(folder, { 'docs/api/b.md': '# B\n' });
    expect((await runDocs(folder)).code).toBe(0);
    expect(git(folder, 'status', '--porcelain')).toContain('?? docs/api/b.md\n');
    expect(snapshot(folder)['docs/api/README.md']).toContain('- [B](b.md)');
  });
});

it.each([['--dryrun'], ['--check', '--force'], ['another-folder']])(
  'rejects the arguments %s %s with exit code 2 and one line',
  (...args) => {
    const folder = folders.committed(strays);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/docs/main.ts', folder, ...args]);
    expect({ status, stdout: String(stdout) }).toEqual({ status: 2, stdout: '' });
    expect(String(stderr)).toMatch(/^.+\n$/);
    expect(snapshot(folder)).toEqual(strays);
  },
);

it('rejects a folder that does not exist', async () => {
  await expect(runDocs(join(folders.root, 'none'))).rejects.toThrow('cannot change to');
});
