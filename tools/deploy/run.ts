/** Runs the steps of a deploy one by one, and stops at the first failure. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../say.ts';
import { checkSecret, DeployRefused } from './options.ts';
import {
  type Command,
  fillPlaceholders,
  formatCommand,
  type Probe,
  retrySeconds,
  type Step,
  waitSeconds,
} from './steps.ts';

export type CommandResult = { ok: boolean; output: string };

/** Runs a command. `quiet` hides its output, for commands that only look something up. */
export type RunCommand = (
  command: readonly string[],
  how: { input?: string; quiet?: boolean },
) => Promise<CommandResult>;

/** The deploy's access to programs, the user and time. Tests replace it. */
export type Runtime = {
  run: RunCommand;
  /** Asks the user for a secret without showing it; undefined if there is no terminal. */
  ask: ((what: string) => Promise<string>) | undefined;
  pause: (seconds: number) => Promise<void>;
};

/**
 * Runs all steps in order. Running them again is safe.
 * @throws {DeployRefused} at the first failure, with what to do. The results of earlier steps stay.
 */
export async function runSteps(steps: readonly Step[], runtime: Runtime): Promise<void> {
  const variables = new Map<string, string>();
  for (const [i, step] of steps.entries()) {
    say(`\n[${i + 1}/${steps.length}] ${step.title}`);
    if (!(await runStep(step, variables, runtime))) {
      throw new DeployRefused(
        `Step ${i + 1} failed: ${step.title}.\n${step.hint}\nThen run the same command again. It keeps everything that exists already.`,
      );
    }
  }
}

async function runStep(
  step: Step,
  variables: Map<string, string>,
  { run, ask, pause }: Runtime,
): Promise<boolean> {
  const runProbe = async ({ command, contains, saveAs }: Probe): Promise<boolean> => {
    const { ok, output } = await run(fillPlaceholders(command, variables), { quiet: true });
    const value = output.trim();
    if (saveAs && ok && value) variables.set(saveAs, value);
    return ok && (contains === undefined ? value !== '' : value.includes(contains));
  };
  const act = async (command: Command, input?: string): Promise<CommandResult> => {
    const filledCommand = fillPlaceholders(command, variables);
    say(`  $ ${formatCommand(filledCommand)}`);
    const pauses = step.retry ? retrySeconds : [];
    for (let attempt = 0; ; attempt++) {
      const result = await run(filledCommand, input === undefined ? {} : { input });
      const seconds = pauses[attempt];
      if (result.ok || seconds === undefined) return result;
      say(`  Retrying in ${seconds} s …`);
      await pause(seconds);
    }
  };

  switch (step.do) {
    case 'write':
      mkdirSync(dirname(step.path), { recursive: true });
      writeFileSync(step.path, step.text);
      return true;
    case 'run': {
      const { ok, output } = await act(step.run);
      if (step.saveAs) variables.set(step.saveAs, output.trim());
      return ok && (step.saveAs === undefined || output.trim() !== '');
    }
    case 'check':
      return runProbe(step.probe);
    case 'wait':
      for (;;) {
        const { ok, output } = await run(fillPlaceholders(step.whilePrints, variables), { quiet: true });
        if (!ok || output.trim() === '') return ok;
        await pause(waitSeconds);
      }
    case 'secret': {
      if (step.isGenerated) {
        const { ok, output } = await run(fillPlaceholders(step.probe.command, variables), { quiet: true });
        if (!ok || output.trim() !== '') return ok;
        return (await act(step.make, randomBytes(32).toString('hex'))).ok;
      }
      if (!step.file && (await runProbe(step.probe))) return true;
      const value = await secretValue(step, ask);
      checkSecret(step.secret, value);
      return (await act(step.make, value)).ok;
    }
    case 'ensure': {
      const command = (await runProbe(step.probe)) ? step.change : step.make;
      return command === undefined || (await act(command)).ok;
    }
  }
}

async function secretValue(
  { secret, file }: { secret: string; file: string | undefined },
  ask: Runtime['ask'],
) {
  // Editors add a line break at the end of a file, which is not part of the key.
  if (file) return readFileSync(file, 'utf8').trim();
  if (!ask)
    throw new DeployRefused(
      `${secret} has no value yet, and there is no terminal to ask for it. Pass a file that contains it.`,
    );
  return (await ask(secret)).trim();
}

/** Runs real programs, asks at the terminal if there is one, and waits in real time. */
export const runtime: Runtime = {
  run: (command, { input, quiet }) =>
    new Promise((resolve) => {
      const [program = '', ...args] = command;
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
    }),
  ask: process.stdin.isTTY ? askHidden : undefined,
  pause: (seconds) => sleep(seconds * 1000),
};

/** Reads a line that the terminal does not show. */
function askHidden(what: string): Promise<string> {
  process.stdout.write(`  ${what} (input is hidden): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve) =>
    lines.question('', (answer) => {
      lines.close();
      process.stdout.write('\n');
      resolve(answer);
    }),
  );
}
