/** A vitest reporter that, with CI=true, fails a run in which a test or a test file did not run. */
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

let vitest: Vitest;

export const everyFileRan: Reporter = {
  onInit(context) {
    vitest = context;
  },

  async onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
    process.stdout.write(`\nTests: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    if (process.env.CI !== 'true') return;

    const hasPassed = (module: TestModule) =>
      [...module.children.allTests()].some((test) => test.result().state === 'passed');
    const ran = new Set(modules.filter(hasPassed).map(({ moduleId }) => relative(process.cwd(), moduleId)));
    const missing = (await expectedFiles()).filter((file) => !ran.has(file));
    if (missing.length > 0) process.stdout.write(`These test files did not run: ${missing.join(', ')}\n`);
    if (missing.length > 0 || skipped > 0) process.exitCode = 1;
  },
};

/** The files of the chosen projects; without `--project` every test file, also one that no project includes. */
async function expectedFiles(): Promise<string[]> {
  if (vitest.config.project.length === 0) return globSync('test/**/*.test.ts');
  const found = await Promise.all(vitest.projects.map((project) => project.globTestFiles()));
  return found.flatMap(({ testFiles }) => testFiles).map((file) => relative(process.cwd(), file));
}
