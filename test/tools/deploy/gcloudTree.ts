/** The commands and flags of this machine's gcloud, from the file for shell completion: offline and fast. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Node = { commands: Record<string, Node>; flags: Record<string, string | string[]> };

/** Undefined if there is no gcloud, or if it has no such file. */
export function gcloudTree(): Node | undefined {
  const file = join(sdkRoot(), 'data/cli/gcloud_completions.py');
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Node;
}

function sdkRoot(): string {
  try {
    const args = ['info', '--format=value(installation.sdk_root)'];
    return execFileSync('gcloud', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** The parts of a command that this gcloud does not know. */
export function findUnknown(tree: Node, command: readonly string[]): string[] {
  let node = tree;
  let path = 'gcloud';
  const flags = new Map(Object.entries(tree.flags));
  const unknown: string[] = [];
  for (const argument of command.slice(1)) {
    const next = node.commands[argument];
    if (next) {
      node = next;
      path += ` ${argument}`;
      for (const [flag, type] of Object.entries(node.flags)) flags.set(flag, type);
    } else if (argument.startsWith('--')) unknown.push(...unknownFlag(argument, flags, path));
    else if (Object.keys(node.commands).length > 0) unknown.push(`${path} has no command ${argument}`);
  }
  if (Object.keys(node.commands).length > 0) unknown.push(`${path} is a group of commands`);
  return unknown;
}

function unknownFlag(
  argument: string,
  flags: ReadonlyMap<string, string | string[]>,
  path: string,
): string[] {
  const [name = '', value] = argument.split(/=(.*)/s, 2);
  const type = flags.get(name) ?? (flags.get(name.replace('--no-', '--')) === 'bool' ? 'bool' : undefined);
  if (type === undefined) return [`${path} has no flag ${name}`];
  if (type === 'bool') return value === undefined ? [] : [`${path} ${name} takes no value`];
  if (value === undefined) return [`${path} ${name} takes a value`];
  // gcloud accepts a choice in upper and lower case.
  const isChoice = (choices: string[]) => choices.some((one) => one.toLowerCase() === value.toLowerCase());
  return Array.isArray(type) && !isChoice(type) ? [`${path} ${name} cannot be ${value}`] : [];
}
