/** Runs the programs of a deploy. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from '../say.ts';

export type CommandResult = { ok: boolean; output: string };

/** Runs a command. `quiet` hides its output, for commands that only look something up. */
export type RunCommand = (
  command: readonly string[],
  how: { input?: string; quiet?: boolean },
) => Promise<CommandResult>;

export const runCommand: RunCommand = ([program = '', ...args], { input, quiet }) =>
  new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', quiet ? 'ignore' : 'inherit'],
    });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!quiet) process.stdout.write(text);
    });
    child.stdin?.on('error', () => {}).end(input);
    child.on('error', (error) => {
      say(`  ${program}: ${error.message}`);
      resolve({ ok: false, output });
    });
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });

/** Runs a script with bash, in this folder and at this terminal. Resolves to false if it fails, which it has explained. */
export async function runScript(script: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-deploy-'));
  try {
    const file = join(folder, 'deploy.sh');
    writeFileSync(file, script);
    const child = spawn('bash', [file], { stdio: 'inherit' });
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code === 0));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
