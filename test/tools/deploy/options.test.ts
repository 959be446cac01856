/** The options of the deploy. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeployRefused, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { summarize } from '../../../tools/deploy/summary.ts';
import { findDeployment } from './plans.ts';

const args = ['--project', 'my-studio', '--region', 'europe-west1'];

describe('the options', () => {
  it.each([
    ['no project', ['--region', 'europe-west1'], '--project'],
    ['no region', ['--project', 'my-studio'], '--region'],
    ['an invalid region', ['--project', 'my-studio', '--region', 'Europe'], '--region'],
    ['an unknown option', [...args, '--fast'], '--fast'],
    ['an address on two lines', [...args, '--alert-email', 'a@example.com\ntouch x'], '--alert-email'],
    ['an address that is a list', [...args, '--alert-email', 'a@example.com,b=c'], '--alert-email'],
    ['an invalid address', [...args, '--support-email', '$(touch x)'], '--support-email'],
  ])('are refused with %s', (_, commandLine, message) => {
    expect(() => parseOptions(commandLine)).toThrow(DeployRefused);
    expect(() => parseOptions(commandLine)).toThrow(message);
  });

  it.each([
    ['a variable that no function reads', 'MAX_SPEND=5', 'MAX_SPEND, which no function reads'],
    ['a setting that the functions would refuse', 'RETRY_ATTEMPTS=many', 'RETRY_ATTEMPTS'],
    ["a timeout longer than Cloud Run's", 'GENERATE_TIMEOUT_MS=200000', 'GENERATE_TIMEOUT_MS'],
    ['the key of the identities among the settings', 'IDENTITY_HASH_KEY=top-secret', 'IDENTITY_HASH_KEY'],
    ['a secret among the settings', 'GEMINI_API_KEY=top-secret', 'GEMINI_API_KEY'],
    ['a placeholder in a setting', 'PROMPT_MODEL_ID={{IMAGE}}', 'PROMPT_MODEL_ID'],
    ['an emulator among the settings', 'FIRESTORE_EMULATOR_HOST=localhost:1', 'FIRESTORE_EMULATOR_HOST'],
  ])('are refused with %s, before any step', (_, text, message) => {
    const parse = () => parseOptions([...args, '--settings', 'file'], () => text);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('top-secret');
  });

  it('are refused with a file that is not there', () => {
    expect(() => parseOptions([...args, '--settings', 'no-such-file'])).toThrow(DeployRefused);
    expect(() => parseOptions([...args, '--settings', 'no-such-file'])).toThrow(
      'no-such-file cannot be read',
    );
  });

  it('that are left out are named in the summary', () => {
    const summary = (...more: string[]) => {
      const options = parseOptions([...args, ...more]);
      return summarize(options, createPlan(options)).join('\n');
    };
    expect(summary()).toContain('Asks for GEMINI_API_KEY and CLOUDINARY_URL, ');
    expect(summary()).toMatch(/no sign-in.*reach nobody.*at most 20 dollars.*100 a month/s);
    expect(summary('--support-email', 'a@example.com', '--alert-email', 'a@example.com')).not.toMatch(
      /no sign-in|reach nobody/,
    );
  });

  it.each([
    ['no settings', '', 'gemini-nano-banana-2.1'],
    ['an empty model', 'IMAGEGEN_MODEL_ID=', 'gemini-nano-banana-2.1'],
    ['a model', 'IMAGEGEN_MODEL_ID=gemini-3-pro-image', 'gemini-3-pro-image'],
    ['a model by the deprecated alias', 'IMAGEGEN_GEMINI_MODEL_ID=gemini-3-pro-image', undefined],
  ])(
    'with %s, call first the model that the settings name, or one that Google will not end soon',
    (_, text, id) => {
      const plan = createPlan(parseOptions([...args, '--settings', 'file'], () => text));
      for (const target of ['generate', 'account']) {
        expect(findDeployment(target, plan).env.IMAGEGEN_MODEL_ID).toBe(id);
      }
    },
  );

  it('set the environment of every function', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-settings-'));
    const file = join(folder, 'settings.env');
    writeFileSync(file, '# Ours\nSIGNUP_CREDITS=3\nMAX_SPEND_PER_DAY_USD=50\n');
    const plan = createPlan(parseOptions([...args, '--settings', file]));
    rmSync(folder, { recursive: true });
    expect(findDeployment('account', plan).env).toMatchObject({
      SIGNUP_CREDITS: '3',
      MAX_SPEND_PER_DAY_USD: '50',
    });
  });
});
