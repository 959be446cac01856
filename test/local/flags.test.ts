/** The command line of `npm start`, and the file with its variables. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { loadSettings, parseFlags, usage } from '../../local/flags.ts';

it.each([[['--hlep']], [['--settings']]])('%j is refused with the usage', (args) => {
  expect(() => parseFlags(args)).toThrow('npm start -- --console');
});

it('--help prints the usage and exits with 0', () => {
  const start = join(import.meta.dirname, '../../local/start.ts');
  const args = [start, '--settings', '.env', '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${usage}\n`, stderr: '' });
});

it('knows --dev and --console', () => {
  expect(parseFlags(['--dev'])).toMatchObject({ dev: true, console: false });
  expect(parseFlags(['--console', '--settings', '.env'])).toMatchObject({ console: true, settings: '.env' });
});

it('finds the variables of the file that nothing reads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-flags-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of ['GEMINI_API_KEI', 'SIGNUP_CREDITS', 'NO_DOWNLOADS']) vi.stubEnv(name, undefined);
  const file = join(folder, '.env');
  writeFileSync(file, 'GEMINI_API_KEI=x\nSIGNUP_CREDITS=3\nNO_DOWNLOADS=1\n');
  expect(loadSettings(file)).toEqual(['GEMINI_API_KEI']);
  expect(process.env.SIGNUP_CREDITS).toBe('3');
  expect(loadSettings(join(folder, 'missing'))).toEqual([]);
});
