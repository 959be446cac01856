/** `npm run deploy`: makes the whole studio in a Google Cloud project, or brings what is there up to date. */
import { createInterface } from 'node:readline/promises';
import { say } from '../say.ts';
import { type DeployOptions, DeployRefused, parseOptions } from './options.ts';
import { planOf } from './plan.ts';
import { databaseId, gcloud } from './planProject.ts';
import { runSteps, surroundings } from './run.ts';
import { scriptOf } from './steps.ts';

try {
  const args = process.argv.slice(2);
  const given = parseOptions(args);
  const isAsked = process.stdin.isTTY && !given.dryRun && !args.some((arg) => arg.startsWith('--location'));
  const options = isAsked ? parseOptions([...args, `--location=${await askLocation(given)}`]) : given;
  const steps = planOf(options);
  if (options.dryRun) process.stdout.write(scriptOf(steps));
  else {
    await runSteps(steps, surroundings);
    say(`\nThe studio is at https://${options.project}.web.app/studio`);
  }
} catch (error) {
  if (!(error instanceof DeployRefused)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}

/** Where the database is; where there is none yet, a person says, because it can never be moved. */
async function askLocation({ project, region }: DeployOptions): Promise<string> {
  const describe = [
    'firestore',
    'databases',
    'describe',
    `--database=${databaseId}`,
    '--format=value(locationId)',
  ];
  const { output } = await surroundings.run(gcloud(project, ...describe), { quiet: true });
  if (output.trim()) return output.trim();
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(
    `Firestore is made once and can never be moved. Where? A region, or nam5 or eur3 [${region}] `,
  );
  lines.close();
  return answer.trim() || region;
}
