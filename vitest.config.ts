import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/emulator.ts'],
    // Each file gets a process and a project of its own; nothing is shared but the emulator.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As long as anything may take on a busy machine; what is polled for ends the wait.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', './test/support/everyFileRan.ts'],
  },
});
