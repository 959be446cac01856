/** A vitest reporter that fails a whole run in which a test file, or a test, did not run. */
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

export default class EveryFileRan implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
    process.stdout.write(`\nTests: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    if (process.env.CI !== 'true') return;

    const ran = new Set(
      modules
        .filter((module) => [...module.children.allTests()].some((test) => test.result().state === 'passed'))
        .map((module) => relative(process.cwd(), module.moduleId)),
    );
    const missing = globSync('test/**/*.test.ts').filter((file) => !ran.has(file));
    if (missing.length > 0) process.stdout.write(`These test files did not run: ${missing.join(', ')}\n`);
    if (missing.length > 0 || skipped > 0) process.exitCode = 1;
  }
}
