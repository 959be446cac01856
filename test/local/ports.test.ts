/** Free ports: nobody gets one that another process has found and not used yet. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { findFreePort } from '../../local/ports.ts';

afterEach(() => void vi.restoreAllMocks());

/** Math.random answers these, and then the last of them. */
function makeChance(...values: number[]): void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(values.at(-1) ?? 0);
  for (const value of values) random.mockReturnValueOnce(value);
}

it('differ within a process, although none is used yet', async () => {
  makeChance(0.91, 0.91, 0.92);
  expect(await findFreePort()).not.toBe(await findFreePort());
});

it.runIf(process.platform === 'linux')('differ between processes that look at the same time', async () => {
  makeChance(0.93);
  const port = await findFreePort();
  const code = `
    const chance = [0.93, 0.94];
    Math.random = () => chance.shift() ?? 0.95;
    const { findFreePort } = await import(${JSON.stringify(`${import.meta.dirname}/../../local/ports.ts`)});
    console.log(await findFreePort());
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]);
  expect(Number(stdout)).toBeGreaterThan(20_000);
  expect(Number(stdout)).not.toBe(port);
});
