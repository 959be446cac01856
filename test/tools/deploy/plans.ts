/** Reads the commands of a plan. */
import { toServiceName } from '../../../tools/deploy/manifest.ts';
import type { Command, Step } from '../../../tools/deploy/steps.ts';

/** Every command that a plan may run. */
export function listCommands(steps: readonly Step[]): Command[] {
  return steps
    .flatMap((step): (Command | undefined)[] => {
      if (step.do === 'run') return [step.run];
      if (step.do === 'wait') return [step.whilePrints];
      if (step.do === 'check') return [step.probe.command];
      if (step.do === 'secret') return [step.probe.command, step.make];
      return step.do === 'ensure' ? [step.probe.command, step.make, step.change] : [];
    })
    .filter((command) => command !== undefined);
}

/** The environment and the other flags of a function's service. */
export function findDeployment(target: string, plan: readonly Step[]) {
  const command = listCommands(plan).find(
    ([program, ...rest]) => program === 'gcloud' && rest[1] === 'deploy' && rest[2] === toServiceName(target),
  );
  const toPair = (text: string): [string, string] => {
    const [name = '', value = ''] = text.split(/=(.*)/s, 2);
    return [name, value];
  };
  const flags = new Map((command ?? []).filter((one) => one.startsWith('--')).map(toPair));
  const env = flags.get('--set-env-vars') ?? '';
  const separator = /^\^([^^]+)\^/.exec(env)?.[1] ?? ',';
  const pairs = env.slice(separator.length + 2).split(separator);
  return {
    flags,
    env: Object.fromEntries(pairs.map(toPair)),
  };
}
