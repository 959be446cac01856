import { defineConfig } from 'vitest/config';
import { everyFileRan } from './test/support/everyFileRan.ts';

/** Which test is in which project; test/README.md explains the projects. The rest is in `unit`. */
const emulator = ['test/{functions,crash,guides}/**/*.test.ts', 'test/**/*.emulator.test.ts'];
const browser = ['test/browser/**/*.test.ts'];
const slow = ['test/{simulation,tools/docs}/**/*.test.ts', 'test/tools/deploy/hosting.test.ts'];

export default defineConfig({
  test: {
    // Each file runs in a process and, with the emulator, in a Google Cloud project of its own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { METADATA_SERVER_DETECTION: 'none' },
    // The longest time that anything takes on a busy machine; a poll ends as soon as its condition holds.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', everyFileRan],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...emulator, ...browser, ...slow],
        },
      },
      { extends: true, test: { name: 'slow', include: slow, exclude: emulator } },
      {
        extends: true,
        test: { name: 'emulator', include: emulator, globalSetup: ['test/support/emulator.ts'] },
      },
      { extends: true, test: { name: 'browser', include: browser } },
    ],
  },
});
