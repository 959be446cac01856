/** The whole deploy, in order. */
import type { DeployOptions } from './options.ts';
import { createAlerts, createBudget } from './planAlerts.ts';
import { createErasureLog } from './planErasureLog.ts';
import { buildImage, createTriggers, deployFunctions, scheduleJobs } from './planFunctions.ts';
import { deployPage, deployRules, setUpFirebase, writeFirebaseConfig } from './planPage.ts';
import { createAccounts, createDatabase, createSecrets, setUpProject } from './planProject.ts';
import { checkPayments, finishWebhook } from './planStripe.ts';
import type { Step } from './steps.ts';

/**
 * All steps. Each comes after the steps that it depends on: first what may refuse the deploy and changes nothing, late the
 * page, when everything it calls exists, and last the budget, without which the studio works.
 */
export function createPlan(options: DeployOptions): Step[] {
  return [
    ...checkPayments(options),
    {
      title: 'Build the functions and the page into dist/',
      hint: 'Run `npm ci` and `npm run check`.',
      do: 'run',
      run: ['npm', 'run', 'build'],
    },
    ...setUpProject(options),
    ...createAccounts(options),
    ...createSecrets(options),
    ...createDatabase(options),
    ...setUpFirebase(options),
    ...writeFirebaseConfig(options),
    ...deployRules(options),
    ...createErasureLog(options),
    ...buildImage(options),
    ...deployFunctions(options),
    ...finishWebhook(options),
    ...createTriggers(options),
    ...scheduleJobs(options),
    ...createAlerts(options),
    ...deployPage(options),
    ...createBudget(options),
  ];
}
