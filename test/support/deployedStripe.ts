/** The deploy's commands for Stripe on the fake Stripe, with the secrets of a project in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { FakeStripe } from '../../local/fakes/stripe/stripe.ts';
import type { RunCommand } from '../../tools/deploy/run.ts';
import { runStripe } from '../../tools/deploy/stripeMain.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Secret Manager behind `gcloud`. `failsAt` names a part of a command that fails. */
export function createSecretManager(secrets: Record<string, string> = {}) {
  const state = { secrets, failsAt: '' };
  const run: RunCommand = async (command, { input }) => {
    const line = command.join(' ');
    if (state.failsAt && line.includes(state.failsAt)) return { ok: false, output: '' };
    const name = /--secret=(\w+)/.exec(line)?.[1] ?? command[4] ?? '';
    if (input !== undefined) secrets[name] = input;
    const value = secrets[name];
    return { ok: value !== undefined, output: value ?? '' };
  };
  return Object.assign(state, { run });
}

/** Runs one command as the deploy does. @returns what it prints. */
export async function deployStripe(
  fake: FakeStripe,
  { run }: { run: RunCommand },
  ...args: string[]
): Promise<string> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  await runStripe([...args, '--project=my-studio'], { run, baseUrl: fake.url, write });
  return lines.join('\n');
}

/** A file with a key, for `--key-file`. */
export function writeKeyFile(key: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-stripe-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key');
  writeFileSync(file, `${key}\n`);
  return file;
}

type Receive = (payload: string, signature: string) => Promise<{ status: number }>;

/** An address for webhooks. `receive` can be replaced, as a new revision of a function replaces the one before. */
export async function startReceiver() {
  const state: { receive: Receive } = { receive: async () => ({ status: 404 }) };
  const server = createServer(async (request, response) => {
    let payload = '';
    for await (const chunk of request.setEncoding('utf8')) payload += chunk;
    const { status } = await state.receive(payload, String(request.headers['stripe-signature']));
    response.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { url: `http://127.0.0.1:${port}/` });
}
