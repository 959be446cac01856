/**
 * The deploy as data: steps that each make one thing, or leave it as it is where it is there already. The
 * same steps are printed as a shell script that does the same, and run one by one.
 */
import type { Secret } from './manifest.ts';

/** A program and its arguments. `{{NAME}}` stands for what an earlier step has found out. */
export type Command = readonly [string, ...string[]];

export type Step = {
  /** What it does, for a person. */
  title: string;
  /** What a person can do where it fails. */
  hint: string;
  /** Whether it may fail for a while, because what it needs was made a moment ago. */
  retry?: true;
} & Act;

export type Act =
  /** Runs every time; what it prints can be kept under a name. */
  | { do: 'run'; run: Command; saveAs?: string }
  /** Goes on only where a thing is as it should be. */
  | { do: 'check'; probe: Probe }
  /** Waits for as long as this prints anything. */
  | { do: 'wait'; whilePrints: Command }
  /** Makes a thing where `there` says that it is missing, and changes it where it is not. */
  | { do: 'ensure'; probe: Probe; make?: Command; change?: Command }
  /** Keeps a secret's value, which no command shows: from a file, from a person, or as it is already. */
  | { do: 'secret'; probe: Probe; secret: Secret; file: string | undefined; make: Command }
  | { do: 'write'; path: string; text: string };

/** Says that a thing is there by printing something; with `contains`, this. */
export type Probe = { command: Command; contains?: string; saveAs?: string };

const placeholder = /\{\{([A-Z_]+)\}\}/g;

/** A command with what earlier steps have found out in place of the placeholders. @throws where one is missing. */
export function fillPlaceholders(command: Command, variables: ReadonlyMap<string, string>): string[] {
  return command.map((argument) =>
    argument.replace(placeholder, (_, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`No step has found out ${name}`);
      return value;
    }),
  );
}

/** One argument as a shell reads it. */
function quoteArgument(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (argument.search(placeholder) === -1) return `'${argument.replaceAll("'", "'\\''")}'`;
  return `"${argument.replaceAll(/["\\$`]/g, '\\$&').replaceAll(placeholder, '$${$1}')}"`;
}

/** A command as a person would type it. */
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

/** Between two looks, and before each further try of what may fail for a while; seconds. */
export const waitSeconds = 10;
export const retrySeconds = [5, 10, 20, 40];

const scriptHead = `#!/usr/bin/env bash
set -euo pipefail
# What was made a moment ago is not known everywhere at once.
retry() { for pause in ${retrySeconds.join(' ')}; do "$@" && return; sleep "$pause"; done; "$@"; }`;

/** All steps as one shell script: the same commands in the same order, with nothing secret in them. */
export function toShellScript(steps: readonly Step[]): string {
  const parts = steps.map((step) => [`# ${step.title}`, ...toShellLines(step)].join('\n'));
  return `${[scriptHead, ...parts].join('\n\n')}\n`;
}
