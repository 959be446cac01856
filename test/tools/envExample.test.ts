/** .env.example is current, complete and parses, and the defaults it shows are the real ones. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { parseConfig } from '../../shared/config/config.ts';
import { environmentSchema } from '../../shared/config/environment.ts';
import { formatEnvExample } from '../../tools/envExample.ts';
import { localVariables } from '../../tools/localVariables.ts';

const text = readFileSync('.env.example', 'utf8');
const names = [...Object.keys(environmentSchema.shape), ...Object.keys(localVariables)];
const asWritten = parseEnv(text) as Record<string, string>;
const uncommentedText = text.replaceAll(/^#(?=[A-Z_]+=)/gm, '');
const uncommented = parseEnv(uncommentedText) as Record<string, string>;

it('is what the generator writes', () => {
  expect(text).toBe(formatEnvExample());
});

it('has every variable of the schema once and no other', () => {
  const assigned = [...text.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(assigned).toEqual(names);
  expect(Object.keys(uncommented).sort()).toEqual([...names].sort());
});

it('comments out all but the required variables, and parses as it is', () => {
  expect(Object.keys(asWritten)).toEqual(['GOOGLE_CLOUD_PROJECT']);
  expect(() => parseConfig(asWritten)).not.toThrow();
});

it('shows the real defaults: uncommenting all of them changes nothing', () => {
  const { gemini, ...others } = parseConfig(asWritten);
  // `shared/imagegen/gemini.ts` fills in the location.
  expect(parseConfig(uncommented)).toEqual({ ...others, gemini: { ...gemini, location: 'global' } });
});

it('shows a value wherever the schema has a default other than an empty one', () => {
  const defaults = Object.entries(environmentSchema.parse(asWritten));
  const missing = defaults.filter(([name, value]) => {
    const isEmpty = value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
    return !isEmpty && uncommented[name] === '';
  });
  expect(missing).toEqual([]);
});

it('refuses a required variable without an example', () => {
  const required = { meta: () => ({ default: 'required', description: 'x' }) };
  expect(() => formatEnvExample({ New: { NEW_VARIABLE: required } })).toThrow('NEW_VARIABLE is required');
});

it('means the same to a shell', () => {
  const script = 'set -a; eval "$1"; exec env -0';
  const output = execFileSync('sh', ['-c', script, 'sh', uncommentedText], { env: {}, encoding: 'utf8' });
  const variables = Object.fromEntries(output.split('\0').map((line) => line.split(/=(.*)/s, 2)));
  expect(variables).toMatchObject(uncommented);
});
