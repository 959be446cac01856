/**
 * The deploy as data: steps that each make one thing, or leave it as it is where it is there already. The
 * same steps are printed as a shell script that does the same, and run one by one.
 */
import type { Secret } from './manifest.ts';

/** A program and its arguments. `{{NAME}}` stands for what an earlier step has found out. */
export type Command = readonly [string, ...string[]];

export type Step = {
  /** What it does, for a person. */
  says: string;
  /** What a person can do where it fails. */
  ifItFails: string;
  /** Whether it may fail for a while, because what it needs was made a moment ago. */
  retry?: true;
} & Act;

export type Act =
  /** Runs every time; what it prints can be kept under a name. */
  | { do: 'run'; run: Command; keepAs?: string }
  /** Goes on only where a thing is as it should be. */
  | { do: 'check'; there: Probe }
  /** Waits for as long as this prints anything. */
  | { do: 'wait'; whilePrints: Command }
  /** Makes a thing where `there` says that it is missing, and changes it where it is not. */
  | { do: 'ensure'; there: Probe; make?: Command; change?: Command }
  /** Keeps a secret's value, which no command shows: from a file, from a person, or as it is already. */
  | { do: 'secret'; there: Probe; secret: Secret; file: string | undefined; make: Command }
  | { do: 'write'; path: string; text: string };

/** Says that a thing is there by printing something; with `contains`, this. */
export type Probe = { command: Command; contains?: string; keepAs?: string };

const placeholder = /\{\{([A-Z_]+)\}\}/g;

/** A command with what earlier steps have found out in place of the placeholders. @throws where one is missing. */
export function filledIn(command: Command, found: ReadonlyMap<string, string>): string[] {
  return command.map((argument) =>
    argument.replace(placeholder, (_, name: string) => {
      const value = found.get(name);
      if (value === undefined) throw new Error(`No step has found out ${name}`);
      return value;
    }),
  );
}

/** One argument as a shell reads it. */
function quoted(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (argument.search(placeholder) === -1) return `'${argument.replaceAll("'", "'\\''")}'`;
  return `"${argument.replaceAll(/["\\$`]/g, '\\$&').replaceAll(placeholder, '$${$1}')}"`;
}

/** A command as a person would type it. */
export const shown = (command: readonly string[]): string => command.map(quoted).join(' ');

function probeLine({ command, contains }: Probe): string {
  return contains === undefined
    ? `[ -n "$(${shown(command)} 2>/dev/null)" ]`
    : `${shown(command)} 2>/dev/null | grep -qF -- ${quoted(contains)}`;
}

function linesOf(step: Step): string[] {
  const typed = (command: Command) => `${step.retry ? 'retry ' : ''}${shown(command)}`;
  switch (step.do) {
    case 'run':
      return [step.keepAs ? `${step.keepAs}=$(${typed(step.run)})` : typed(step.run)];
    case 'check':
      return [`${probeLine(step.there)} || { echo ${quoted(step.ifItFails)} >&2; exit 1; }`];
    case 'wait':
      return [`while [ -n "$(${shown(step.whilePrints)})" ]; do sleep ${waitSeconds}; done`];
    case 'write':
      return [
        `mkdir -p ${quoted(step.path.slice(0, step.path.lastIndexOf('/')))}`,
        `cat > ${quoted(step.path)} <<'END'`,
        step.text.trimEnd(),
        'END',
      ];
    case 'secret': {
      const value = step.file
        ? `tr -d '\\r\\n' < ${quoted(step.file)}`
        : `{ read -rsp '${step.secret}: ' value; printf %s "$value"; }`;
      const make = `${value} | ${shown(step.make)}`;
      return step.file ? [make] : [`${probeLine(step.there)} || ${make}`];
    }
    case 'ensure': {
      const { there, make, change } = step;
      const probe = there.keepAs
        ? `${there.keepAs}=$(${shown(there.command)} 2>/dev/null) && [ -n "$${there.keepAs}" ]`
        : probeLine(there);
      if (make && !change) return [`${probe} || ${typed(make)}`];
      return [
        `if ${probe}; then`,
        `  ${change ? typed(change) : 'true'}`,
        ...(make ? ['else', `  ${typed(make)}`] : []),
        'fi',
      ];
    }
  }
}

/** Between two looks, and before each further try of what may fail for a while; seconds. */
export const waitSeconds = 10;
export const retrySeconds = [5, 10, 20, 40];

const scriptHead = `#!/usr/bin/env bash
set -euo pipefail
# What was made a moment ago is not known everywhere at once.
retry() { for pause in ${retrySeconds.join(' ')}; do "$@" && return; sleep "$pause"; done; "$@"; }`;

/** All steps as one shell script: the same commands in the same order, with nothing secret in them. */
export function scriptOf(steps: readonly Step[]): string {
  const parts = steps.map((step) => [`# ${step.says}`, ...linesOf(step)].join('\n'));
  return `${[scriptHead, ...parts].join('\n\n')}\n`;
}
