/** `npm run deploy`: creates the whole studio in a Google Cloud project, or updates it. */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { say } from '../say.ts';
import { type DeployOptions, DeployRefused, parseOptions } from './options.ts';
import { createPlan } from './plan.ts';
import { databaseId, gcloud } from './planProject.ts';
import { runCommand, runScript } from './run.ts';
import { toShellScript } from './steps.ts';
import { summarize } from './summary.ts';

try {
  const args = process.argv.slice(2);
  const parsedOptions = parseOptions(args);
  const canAsk =
    process.stdin.isTTY && !parsedOptions.dryRun && !args.some((arg) => arg.startsWith('--location'));
  const options = canAsk
    ? parseOptions([...args, `--location=${await askLocation(parsedOptions)}`])
    : parsedOptions;
  const steps = createPlan(options);
  const summary = summarize(options, steps);
  const script = toShellScript(steps, summary);
  if (options.out) {
    writeFileSync(options.out, script);
    say(`${summary.join('\n')}\n\nRead ${options.out}, then run it here: bash ${options.out}`);
  } else if (options.dryRun) {
    process.stdout.write(script);
    if (!process.stdout.isTTY && process.env.npm_lifecycle_event)
      process.stderr.write("npm's own lines may be in this output. For a script to run, pass --out FILE.\n");
  } else if (await runScript(script)) say(`\nThe studio is at https://${options.project}.web.app/studio`);
  else process.exitCode = 1;
} catch (error) {
  if (!(error instanceof DeployRefused)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}

/** The location of the database. If there is no database yet, asks the user, because it can never be moved. */
async function askLocation({ project, region }: DeployOptions): Promise<string> {
  const describe = [
    'firestore',
    'databases',
    'describe',
    `--database=${databaseId}`,
    '--format=value(locationId)',
  ];
  const { output } = await runCommand(gcloud(project, ...describe), { quiet: true });
  if (output.trim()) return output.trim();
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(
    `The location of Firestore can never be changed. Enter a region, nam5 or eur3 [${region}] `,
  );
  lines.close();
  return answer.trim() || region;
}
