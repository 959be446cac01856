/** One history: a random user of the page, from a seed. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { createRandom } from '../../simulation/random.ts';
import type { Studio } from '../support/studio.ts';
import { type ActionName, actions, endFaults } from './actions.ts';
import { findProblem, finish, waitForControls } from './checks.ts';
import { openWorld, type World } from './world.ts';

export type Outcome = {
  seed: number;
  /** The steps that were made. */
  steps: number;
  counts: Map<ActionName, number>;
  /** What is wrong, if anything is, and all steps that led there. */
  problem?: { message: string; trace: readonly string[]; screenshot: string };
};

const stepMsMax = 60_000;

const names = Object.keys(actions) as ActionName[];
const weights = Object.fromEntries(names.map((name) => [name, actions[name][1]])) as Record<
  ActionName,
  number
>;

/**
 * Each step has random numbers of its own, so that a step that the page's timing changes leaves the later ones as they
 * are.
 */
const randomOf = (seed: number, step: number) => createRandom(seed * 100_003 + step);

export async function runHistory(
  { studio, browser }: { studio: Studio; browser: Browser },
  seed: number,
  steps: number,
): Promise<Outcome> {
  const world = await openWorld(studio, browser, randomOf(seed, -1), seed);
  const outcome: Outcome = { seed, steps: 0, counts: new Map() };
  try {
    for (let step = 0; step < steps; step += 1) {
      await endInTime(makeStep(world, seed, step, outcome), step);
      outcome.steps += 1;
    }
    world.trace.push('the end');
    await finish(world);
  } catch (error) {
    outcome.problem = await describe(world, seed, error);
  } finally {
    endFaults(world);
    await world.window.context.close();
  }
  return outcome;
}

/** @throws {Error} if a step does not end: a page that hangs answers nothing at all. */
async function endInTime(making: Promise<void>, step: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`step ${step} does not end`)), stepMsMax);
  });
  await Promise.race([making, limit]).finally(() => clearTimeout(timer));
}

async function makeStep(world: World, seed: number, step: number, { counts }: Outcome): Promise<void> {
  const random = randomOf(seed, step);
  world.random = random;
  const view = await waitForControls(world);
  // An action that is not possible now leaves its turn to another one.
  for (;;) {
    const name = view.place === 'signIn' && random.chance(0.6) ? 'signIn' : random.weighted(weights);
    const done = await actions[name][0](world, view, random);
    if (done === undefined) continue;
    world.trace.push(`${step} ${done}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    break;
  }
  if (random.chance(0.5)) await world.page.waitForTimeout(random.whole(0, 60));
  const problem = await findProblem(world);
  if (problem) throw new Error(problem);
}

async function describe(world: World, seed: number, error: unknown) {
  const folder = resolve('.local/browser');
  mkdirSync(folder, { recursive: true });
  const screenshot = join(folder, `page-history-${seed}.png`);
  await world.page.screenshot({ path: screenshot }).catch(() => {});
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, trace: world.trace, screenshot };
}
