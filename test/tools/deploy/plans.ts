/** Reads the commands of a plan. */
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
