/**
 * The deploy as data. Each step creates one thing, or keeps it if it exists. run.ts runs the steps; `toShellScript`
 * prints them as a shell script that does the same.
 */
import type { Secret } from './manifest.ts';

/** A program and its arguments. `{{NAME}}` is a variable that an earlier step sets. */
export type Command = readonly [string, ...string[]];

export type Step = {
  /** What the step does, as an instruction. */
  title: string;
  /** What a person can do if the step fails. */
  hint: string;
  /** Retry the step, because it fails for a while after an earlier step has created something. */
  retry?: true;
} & Act;

export type Act =
  /** Always runs the command. `saveAs` saves its output as a variable. */
  | { do: 'run'; run: Command; saveAs?: string }
  /** Fails unless the probe succeeds. */
  | { do: 'check'; probe: Probe }
  /** Waits while the command prints anything. */
  | { do: 'wait'; whilePrints: Command }
  /** Runs `make` if the probe finds nothing, otherwise `change`. */
  | { do: 'ensure'; probe: Probe; make?: Command; change?: Command }
  /**
   * Stores a secret's value, which no command shows, from a file or the user; or keeps the existing value. A generated one
   * has 32 random bytes in hexadecimal, and is stored only if the probe succeeds and finds nothing.
   */
  | {
      do: 'secret';
      probe: Probe;
      secret: Secret;
      file: string | undefined;
      isGenerated: boolean;
      make: Command;
    }
  | { do: 'write'; path: string; text: string };

/** Succeeds if the command prints anything or, with `contains`, this text. `saveAs` saves its output as a variable. */
export type Probe = { command: Command; contains?: string; saveAs?: string };

const placeholder = /\{\{([A-Z_]+)\}\}/g;

/** Replaces the placeholders with variables. @throws {Error} if one is not set. */
export function fillPlaceholders(command: Command, variables: ReadonlyMap<string, string>): string[] {
  return command.map((argument) =>
    argument.replace(placeholder, (_, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`No step has set ${name}`);
      return value;
    }),
  );
}

/** Quotes an argument for a shell. */
function quoteArgument(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (argument.search(placeholder) === -1) return `'${argument.replaceAll("'", "'\\''")}'`;
  return `"${argument.replaceAll(/["\\$`]/g, '\\$&').replaceAll(placeholder, '$${$1}')}"`;
}

/** The command as a line for a shell. */
export const formatCommand = (command: readonly string[]): string => command.map(quoteArgument).join(' ');

function toShellProbe({ command, contains }: Probe): string {
  return contains === undefined
    ? `[ -n "$(${formatCommand(command)} 2>/dev/null)" ]`
    : `${formatCommand(command)} 2>/dev/null | grep -qF -- ${quoteArgument(contains)}`;
}

function toShellLines(step: Step): string[] {
  const toLine = (command: Command) => `${step.retry ? 'retry ' : ''}${formatCommand(command)}`;
  switch (step.do) {
    case 'run':
      return [step.saveAs ? `${step.saveAs}=$(${toLine(step.run)})` : toLine(step.run)];
    case 'check':
      return [`${toShellProbe(step.probe)} || { echo ${quoteArgument(step.hint)} >&2; exit 1; }`];
    case 'wait':
      return [`while [ -n "$(${formatCommand(step.whilePrints)})" ]; do sleep ${waitSeconds}; done`];
    case 'write':
      return [
        `mkdir -p ${quoteArgument(step.path.slice(0, step.path.lastIndexOf('/')))}`,
        `cat > ${quoteArgument(step.path)} <<'END'`,
        step.text.trimEnd(),
        'END',
      ];
    case 'secret': {
      if (step.isGenerated) {
        return [
          `versions=$(${formatCommand(step.probe.command)})`,
          `[ -n "$versions" ] || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' | ${formatCommand(step.make)}`,
        ];
      }
      const value = step.file
        ? `tr -d '\\r\\n' < ${quoteArgument(step.file)}`
        : `{ read -rsp '${step.secret}: ' value; printf %s "$value"; }`;
      const make = `${value} | ${formatCommand(step.make)}`;
      return step.file ? [make] : [`${toShellProbe(step.probe)} || ${make}`];
    }
    case 'ensure': {
      const { probe, make, change } = step;
      const condition = probe.saveAs
        ? `${probe.saveAs}=$(${formatCommand(probe.command)} 2>/dev/null) && [ -n "$${probe.saveAs}" ]`
        : toShellProbe(probe);
      if (make && !change) return [`${condition} || ${toLine(make)}`];
      return [
        `if ${condition}; then`,
        `  ${change ? toLine(change) : 'true'}`,
        ...(make ? ['else', `  ${toLine(make)}`] : []),
        'fi',
      ];
    }
  }
}

/** The pause between two checks of a `wait` step, and the pauses before each retry; seconds. */
export const waitSeconds = 10;
export const retrySeconds = [5, 10, 20, 40];

const scriptHead = `#!/usr/bin/env bash
set -euo pipefail
# Google Cloud needs some time until a new resource is available everywhere.
retry() { for pause in ${retrySeconds.join(' ')}; do "$@" && return; sleep "$pause"; done; "$@"; }`;

/** All steps as a shell script: the same commands in the same order, without any secret value. */
export function toShellScript(steps: readonly Step[]): string {
  const parts = steps.map((step) => [`# ${step.title}`, ...toShellLines(step)].join('\n'));
  return `${[scriptHead, ...parts].join('\n\n')}\n`;
}
