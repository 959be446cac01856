/** The folder of a local run's data: what the start refuses, before it could lose anything. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDataDir, restoreUsers } from '../../local/data.ts';
import { StartRefused } from '../../local/refusal.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nano-banana-data-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the folder', () => {
  it('is created if it is missing', () => {
    const dataDir = join(folder, 'new', 'data');
    prepareDataDir(dataDir);
    prepareDataDir(dataDir);
    expect(existsSync(dataDir)).toBe(true);
  });

  it.each(['file', 'file/data'])('is refused if nothing can be saved in it: %s', (name) => {
    writeFileSync(join(folder, 'file'), '');
    const prepare = () => prepareDataDir(join(folder, name));
    expect(prepare).toThrow(StartRefused);
    expect(prepare).toThrow(/^LOCAL_DATA_DIR .*Choose another folder\.$/s);
  });
});

describe('the saved users', () => {
  const restore = (dataDir: string) =>
    restoreUsers({ dataDir, projectId: 'demo', databaseId: '(default)', authHost: '127.0.0.1:1' });

  it.each(['', '{"users": [', '{"users": 5}', '[]', 'null'])(
    'are refused with the name of their file if it holds %j',
    async (text) => {
      const dataDir = join(folder, 'broken');
      mkdirSync(dataDir, { recursive: true });
      const file = join(dataDir, 'users.json');
      writeFileSync(file, text);
      const error = await restore(dataDir).catch((refusal: unknown) => refusal);
      expect(error).toBeInstanceOf(StartRefused);
      expect((error as Error).message).toContain(file);
    },
  );

  it('may be missing or empty', async () => {
    const dataDir = join(folder, 'empty');
    mkdirSync(dataDir, { recursive: true });
    await restore(dataDir);
    writeFileSync(join(dataDir, 'users.json'), '{"users": []}');
    await restore(dataDir);
  });
});
