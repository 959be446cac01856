/** The steps for the erasure log: a bucket that outlives every backup, and the accounts that may add to it. */
import { manifest, toAccountName, toErasureBucket } from './manifest.ts';
import type { DeployOptions } from './options.ts';
import { gcloud, toAccountEmail } from './planProject.ts';
import type { Step } from './steps.ts';

/** Longer than the 14 weeks for which the oldest backup lives. Until then nobody can delete an object; then Google does. */
const keptDays = 100;
const lifecycleFile = 'dist/erasure-log-lifecycle.json';
const hint = 'You need the role roles/storage.admin. The name of the bucket must be free in the whole world.';

export function createErasureLog({ project, region }: DeployOptions): Step[] {
  const bucket = `gs://${toErasureBucket(project)}`;
  const buckets = (...args: string[]) => gcloud(project, 'storage', 'buckets', ...args);
  const writers = Object.entries(manifest).flatMap(([target, { logsErasures }]) =>
    logsErasures ? [toAccountName(target)] : [],
  );
  const rule = { action: { type: 'Delete' }, condition: { age: keptDays + 1 } };
  return [
    {
      title: 'Create the bucket of the erasure log',
      hint,
      do: 'ensure',
      probe: { command: buckets('describe', bucket, '--format=value(name)') },
      make: buckets(
        'create',
        bucket,
        `--location=${region}`,
        '--uniform-bucket-level-access',
        '--public-access-prevention',
        `--retention-period=${keptDays}d`,
      ),
    },
    {
      title: 'Write the lifecycle of the erasure log',
      hint: 'The folder dist/ must be writable.',
      do: 'write',
      path: lifecycleFile,
      text: `${JSON.stringify({ rule: [rule] }, null, 2)}\n`,
    },
    {
      title: `Delete erasures from the log after ${keptDays} days`,
      hint,
      do: 'run',
      run: buckets('update', bucket, `--lifecycle-file=${lifecycleFile}`),
    },
    ...writers.map(
      (account): Step => ({
        title: `Allow ${account} to add to the erasure log`,
        hint,
        do: 'run',
        retry: true,
        run: buckets(
          'add-iam-policy-binding',
          bucket,
          `--member=serviceAccount:${toAccountEmail(account, project)}`,
          '--role=roles/storage.objectCreator',
          '--format=none',
        ),
      }),
    ),
  ];
}
