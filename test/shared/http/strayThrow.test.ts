/** The effect of an uncaught exception on the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { findFreePort } from '../../../local/ports.ts';

const server = new URL('../../../shared/http/server.ts', import.meta.url);
const program = `
import { serve } from '${server}';
const answers = (work) => async () => () => async (request, response) => { work(); response.end('done'); };
serve({
  functions: {
    throws: answers(() => setTimeout(() => { throw new Error('thrown by a vendor'); }, 10)),
    waits: async () => () => async (request, response) => {
      response.writeHead(200).write('begun ');
      setTimeout(() => response.end('and done'), 500);
      await new Promise((resolve) => response.on('close', resolve));
    },
  },
});`;

it('an uncaught exception ends the process after the requests in flight', async () => {
  const port = await findFreePort();
  const env = { ...process.env, GOOGLE_CLOUD_PROJECT: 'demo-stray', PORT: String(port) };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env });
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  const exited = once(child, 'exit');
  await expect.poll(() => log).toContain('Serving');

  const waiting = await fetch(`http://127.0.0.1:${port}/waits`);
  await fetch(`http://127.0.0.1:${port}/throws`);
  expect(await waiting.text()).toBe('begun and done');
  expect((await exited)[0]).toBe(1);
  expect(log).toContain('thrown by a vendor');
});
