/** The commands that the documents and the notifications of alerts say to type exist, and name what the deploy creates. */
import { globSync, readFileSync } from 'node:fs';
import { visit } from 'unist-util-visit';
import { expect, it } from 'vitest';
import { alerts, paymentAlerts } from '../../../tools/deploy/alerts.ts';
import { parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { readDocument } from '../../../tools/docs/markdown.ts';
import { findUnknown, gcloudTree } from './gcloudTree.ts';
import { listCommands } from './plans.ts';

/** The commands of gcloud in the code of a document, as words. `--flag value` is one word, as `--flag=value` is. */
function findCommands(text: string): string[][] {
  const code: string[] = [];
  visit(readDocument('any.md', text).root, ['code', 'inlineCode'], (node) => {
    if (node.type === 'code') code.push(node.value.replace(/\\\n\s*/g, ' '));
    if (node.type === 'inlineCode') code.push(node.value.replace(/\s+/g, ' '));
  });
  return code
    .flatMap((one) => [...one.matchAll(/\bgcloud (?:[^\n|;)'"]|'[^']*'|"[^"]*")+/g)])
    .map(([command]) => command.replace(/(\s--[\w-]+)\s+(?!-)/g, '$1='))
    .map((command) => command.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? []);
}

const files = [...globSync('docs/**/*.md'), 'README.md'].map(
  (file) => [file, readFileSync(file, 'utf8')] as const,
);
const runbooks = [...alerts, ...paymentAlerts].map(({ id, runbook }) => [id, runbook] as const);
const commands = [...files, ...runbooks].flatMap(([where, text]) =>
  // These show what others type, or what the deploy did once.
  where.startsWith('docs/completed/') ? [] : findCommands(text).map((words) => ({ where, words })),
);
/** A span such as `gcloud` or `gcloud auth login`, which names a program. */
const isComplete = ({ words }: { words: string[] }) =>
  words.length > 3 && words[1] !== 'auth' && words[1] !== 'components';

const options = parseOptions(
  ['--project', 'my-studio', '--region', 'europe-west1', '--settings', 'file'],
  () => 'CREDIT_PACKS=starter=price_1:100\n',
);
const created = listCommands(createPlan(options));
/** The names that the plan uses in commands with these words, directly after them. */
const namesIn = (...group: string[]) =>
  new Set(
    created.flatMap((command) =>
      group.every((word, i) => command[i + 1] === word) ? [command[group.length + 1] ?? ''] : [],
    ),
  );
const jobs = new Set([...namesIn('scheduler', 'jobs', 'create', 'http')]);
const services = namesIn('run', 'deploy');
const secrets = namesIn('secrets', 'create');

/** What is wrong with a command. */
function findFaults(words: string[]): string[] {
  const [, group, kind] = words;
  const plain = words.filter((word) => !word.startsWith('-'));
  const last = plain.at(-1) ?? '';
  const has = (flag: string) => words.some((word) => word.startsWith(`--${flag}=`));
  const faults: (string | false)[] = [
    !has('project') && !words.join(' ').includes('projects ') && 'has no --project',
  ];
  if (group === 'scheduler')
    faults.push(!jobs.has(last) && `names no job: ${last}`, !has('location') && 'has no --location');
  if (group === 'run' && kind === 'services') {
    const named = plain[3] === 'logs' ? plain[5] : plain[4];
    faults.push(
      !services.has(named ?? '') && `names no service: ${named}`,
      !has('region') && 'has no --region',
    );
  }
  if (group === 'secrets') {
    const secret =
      words.find((word) => word.startsWith('--secret='))?.slice('--secret='.length) ?? plain[4] ?? '';
    faults.push(!secrets.has(secret) && `names no secret: ${secret}`);
  }
  return faults.filter((fault) => fault !== false);
}

it('finds the commands', () => {
  expect(commands.filter(isComplete).length).toBeGreaterThan(15);
  expect(jobs).toContain('sweep-holds');
  expect(services).toContain('stripe-webhook');
  expect(secrets).toContain('IDENTITY_HASH_KEY');
});

it('recognises a wrong name and a missing place', () => {
  expect(findFaults(['gcloud', 'scheduler', 'jobs', 'run', 'sweepHolds', '--project=P'])).toEqual([
    'names no job: sweepHolds',
    'has no --location',
  ]);
  expect(findFaults(['gcloud', 'run', 'services', 'describe', 'stripeWebhook'])).toHaveLength(3);
});

it('names what the deploy creates, where it is', () => {
  const faults = commands
    .filter(isComplete)
    .flatMap(({ where, words }) => findFaults(words).map((fault) => `${where}: ${words.join(' ')} ${fault}`));
  expect(faults).toEqual([]);
});

it('has commands and flags that exist in gcloud', () => {
  const tree = gcloudTree();
  if (!tree) {
    process.stdout.write('NOT CHECKED: this machine has no gcloud with which to check the commands.\n');
    return;
  }
  const unknown = commands
    .filter(isComplete)
    .flatMap(({ where, words }) => findUnknown(tree, words).map((fault) => `${where}: ${fault}`));
  expect(unknown).toEqual([]);
});
