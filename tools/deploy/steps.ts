/**
 * The deploy as data. Each step creates one thing, or keeps it if it exists. `toShellScript` writes the steps as a shell
 * script: a deploy runs it, a dry run prints it.
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
  /** Always runs the command. `saveAs` saves its output as a variable, and fails if there is none. */
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

/** Quotes an argument for a shell. */
function quoteArgument(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (argument.search(placeholder) === -1) return `'${argument.replaceAll("'", "'\\''")}'`;
  return `"${argument.replaceAll(/["\\$`]/g, '\\$&').replaceAll(placeholder, '$${$1}')}"`;
}

/** The command as a line for a shell. */
export const formatCommand = (command: readonly string[]): string => command.map(quoteArgument).join(' ');

function toShellProbe({ command, contains, saveAs }: Probe): string {
  const lookUp = `${formatCommand(command)} 2>/dev/null`;
  if (contains !== undefined) return `${lookUp} | grep -F -- ${quoteArgument(contains)} >/dev/null`;
  return saveAs ? `${saveAs}=$(${lookUp}) && [ -n "$${saveAs}" ]` : `[ -n "$(${lookUp})" ]`;
}

/** What the value of a secret that somebody types must look like, as a pattern of the shell. */
const secretPatterns: Partial<Record<Secret, string>> = {
  CLOUDINARY_URL: 'cloudinary://?*:?*@?*',
  STRIPE_SECRET_KEY: '[rs]k_*',
};

function toShellLines(step: Step): string[] {
  const toLine = (command: Command, how = 'run') =>
    `${step.retry ? 'retry ' : ''}${how} ${formatCommand(command)}`;
  switch (step.do) {
    case 'run':
      return [step.saveAs ? `${step.saveAs}=$(${toLine(step.run, 'found')})` : toLine(step.run)];
    case 'check':
      return [toShellProbe(step.probe)];
    case 'wait': {
      const look = `left=$(${formatCommand(step.whilePrints)})`;
      return [look, `while [ -n "$left" ]; do sleep ${waitSeconds}; ${look}; done`];
    }
    case 'write':
      return [
        `mkdir -p ${quoteArgument(step.path.slice(0, step.path.lastIndexOf('/')))}`,
        `cat > ${quoteArgument(step.path)} <<'END'`,
        step.text.trimEnd(),
        'END',
      ];
    case 'secret':
      return toSecretLines(step, toLine(step.make));
    case 'ensure': {
      const { probe, make, change } = step;
      if (make && !change) return [`${toShellProbe(probe)} || ${toLine(make)}`];
      return [
        `if ${toShellProbe(probe)}; then`,
        `  ${change ? toLine(change) : 'true'}`,
        ...(make ? ['else', `  ${toLine(make)}`] : []),
        'fi',
      ];
    }
  }
}

function toSecretLines(
  { probe, secret, file, isGenerated }: Extract<Step, { do: 'secret' }>,
  make: string,
): string[] {
  if (isGenerated) {
    return [
      `versions=$(${formatCommand(probe.command)})`,
      `[ -n "$versions" ] || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' | ${make}`,
    ];
  }
  // Editors add a line break at the end of a file, which is not part of the key.
  if (file) return [`tr -d '\\r\\n' < ${quoteArgument(file)} | ${make}`];
  const pattern = secretPatterns[secret] ?? '?*';
  return [
    `${toShellProbe(probe)} || {`,
    `  read -rsp '${secret} (input is hidden): ' value`,
    '  echo',
    `  [[ $value == ${pattern} ]]`,
    `  printf %s "$value" | ${make}`,
    '}',
  ];
}

/** The pause between two checks of a `wait` step, and the pauses before each retry; seconds. */
const waitSeconds = 10;
const retrySeconds = [5, 10, 20, 40];

const scriptHead = `set -euo pipefail

step() { title=$1 hint=$2; printf '\\n%s\\n' "$title"; }
trap '[ $? -eq 0 ] || printf "\\nFailed: %s.\\n%s\\nThen run it again. It keeps everything that exists already.\\n" "$title" "$hint" >&2' EXIT

# Prints a command and runs it. Secrets are never arguments.
run() { printf '  $ %s\\n' "$*" >&2; "$@"; }

# Runs a command that must print something.
found() { local output; output=$(run "$@") && [ -n "$output" ] && printf '%s\\n' "$output"; }

# Google Cloud needs some time until a new resource is available everywhere.
retry() {
  for pause in ${retrySeconds.join(' ')}; do
    "$@" && return
    echo "  Retrying in $pause s" >&2
    sleep "$pause"
  done
  "$@"
}`;

/**
 * All steps as a script for bash, without any secret value. It stops at the first step that fails, and says what to do.
 * @param summary lines for the reader of the script.
 */
export function toShellScript(steps: readonly Step[], summary: readonly string[] = []): string {
  const parts = steps.map((step, i) => {
    const title = `[${i + 1}/${steps.length}] ${step.title}`;
    return [`step ${quoteArgument(title)} \\`, `  ${quoteArgument(step.hint)}`, ...toShellLines(step)].join(
      '\n',
    );
  });
  const comments = summary.map((line) => `# ${line}`);
  return `${['#!/usr/bin/env bash', ...comments].join('\n')}\n${[scriptHead, ...parts].join('\n\n')}\n`;
}
