/**
 * The functions in a process that pauses at one await point of `generate`. PAUSE_AT is the number of the call
 * before which it pauses (a number beyond the last call: after that). It continues when PAUSE_URL answers.
 */
import { functions } from '../../functions/index.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { createDatabase } from '../../shared/database/firestore.ts';
import { serve } from '../../shared/http/server.ts';
import { createServices } from '../../shared/services.ts';
import { createFaultyParts } from './faults.ts';

const config = parseConfig(process.env);
const at = Number(process.env.PAUSE_AT);
const waitForRelease = () => fetch(String(process.env.PAUSE_URL));
const lastCall = 4;

const database = createDatabase(config);
const log = createLog(() => {});
const real = createServices(config, log, new AbortController().signal, { database });
const faulty = createFaultyParts({
  database,
  imageGenerator: await real.imageGenerator(),
  imageStore: await real.imageStore(),
});
faulty.begin({ at, fault: 'hang past the deadline', meanwhile: waitForRelease });
const { overrides } = faulty;
serve({
  functions,
  overrides: {
    ...overrides,
    database: {
      ...overrides.database,
      async commit(writes) {
        const version = await overrides.database.commit(writes);
        if (at > lastCall && faulty.calls.length > lastCall) await waitForRelease();
        return version;
      },
    },
  },
});
