/** The whole deploy, in its order. */
import type { DeployOptions } from './options.ts';
import { watchLogs } from './planAlerts.ts';
import { bringEvents, buildImage, deployFunctions, scheduleJobs } from './planFunctions.ts';
import { deployPage, deployRules, openFirebase, writeFirebaseConfig } from './planPage.ts';
import { keepSecrets, makeAccounts, makeDatabase, openProject } from './planProject.ts';
import type { Step } from './steps.ts';

/** Every step: each thing is made after what it needs, and the page comes last, when what it calls is there. */
export function planOf(options: DeployOptions): Step[] {
  return [
    {
      says: 'Builds the functions and the page into dist/',
      ifItFails: 'Run `npm ci` and `npm run check`.',
      do: 'run',
      run: ['npm', 'run', 'build'],
    },
    ...openProject(options),
    ...makeAccounts(options),
    ...keepSecrets(options),
    ...makeDatabase(options),
    ...openFirebase(options),
    ...writeFirebaseConfig(options),
    ...deployRules(options),
    ...buildImage(options),
    ...deployFunctions(options),
    ...bringEvents(options),
    ...scheduleJobs(options),
    ...watchLogs(options),
    ...deployPage(options),
  ];
}
