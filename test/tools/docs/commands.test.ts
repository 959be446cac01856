/**
 * The blocks of commands that the documents mark as runnable, run in a fresh copy of the tree: what git has and
 * would have, nothing else. Its packages are those of this tree; `npm ci` itself is run by .ci/run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, isPortFree } from '../../../local/ports.ts';
import { waitUntil } from '../../../local/processes.ts';
import { commandBlocks, install, splitCommands } from '../../../tools/docs/checks.ts';
import { readTree } from '../../../tools/docs/tree.ts';
import { createFolders, git } from './support.ts';

const tree = readTree(resolve('.'));
const blocks = [...tree.documents.values()].flatMap((document) =>
  commandBlocks(document)
    .filter(({ isRun }) => isRun)
    .map(({ node, until }) => ({
      text: node.value,
      until,
      where: `${document.path}:${node.position?.start.line}`,
    })),
);
const commandMsMax = 180_000;
const startMsMax = 120_000;

const folders = createFolders();
let copy: string;
beforeAll(() => {
  copy = folders.plain({});
  for (const path of tree.files) cpSync(join(tree.folder, path), join(copy, path));
  git(copy, 'init', '-q');
  git(copy, 'add', '-A');
  git(copy, 'commit', '-qm', 'a fresh copy');
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
}, commandMsMax);
afterAll(folders.end);

/** What a run would take from the environment of the tests. */
const ours =
  /^(?:PORT|LOCAL_DATA_DIR|GOOGLE_|GEMINI_|CLOUDINARY_|FIREBASE_|FIRESTORE_|IMAGEGEN_|K_|FUNCTION_|NODE_|VITEST|npm_|INIT_CWD)/;

function start(command: string, port: number): { child: ChildProcess; said: () => string } {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  // In a group of its own, as a shell starts it, so that the group can be signalled as Ctrl-C does.
  const child = spawn('sh', ['-c', command], {
    cwd: copy,
    env: { ...inherited, PORT: String(port), TMPDIR: folders.root },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  return { child, said: () => said };
}

async function runToItsEnd(command: string): Promise<void> {
  const { child, said } = start(command, await findFreePort());
  const [code] = await once(child, 'close');
  expect(code, `${command}\n${said()}`).toBe(0);
}

/** Starts a command that serves, and ends it with Ctrl-C once the path answers. */
async function runUntil(command: string, path: string): Promise<void> {
  const port = await findFreePort();
  const { child, said } = start(command, port);
  const closed = once(child, 'close');
  const answers = async () => {
    expect(child.exitCode, `${command} ended\n${said()}`).toBeNull();
    return fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  try {
    expect(await waitUntil(answers, startMsMax), `${path} answers\n${said()}`).toBe(true);
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await closed;
  }
  expect(await isPortFree(port), 'the port is free again').toBe(true);
}

describe('what the documents say to type', () => {
  it('is marked somewhere, and so tried', () => expect(blocks.length).toBeGreaterThan(1));

  it.each(blocks)(
    '$where works: $text',
    async ({ text, until }) => {
      const commands = splitCommands(text).filter((command) => command !== install);
      for (const [number, command] of commands.entries()) {
        if (until && number === commands.length - 1) await runUntil(command, until);
        else await runToItsEnd(command);
      }
    },
    commandMsMax,
  );
});
