/**
 * The functions in a process that pauses at one await point of `generate`: PAUSE_AT says before which call
 * (a number beyond the last: after it), PAUSE_URL where to ask; it goes on when that is answered.
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
const ask = () => fetch(String(process.env.PAUSE_URL));
const lastCall = 4;

const database = createDatabase(config);
const log = createLog(() => {});
const real = createServices(config, log, new AbortController().signal, { database });
const faulty = createFaultyParts({
  database,
  imageGenerator: await real.imageGenerator(),
  imageStore: await real.imageStore(),
});
faulty.begin({ at, fault: 'hang past the deadline', meanwhile: ask });
const { overrides } = faulty;
serve({
  functions,
  overrides: {
    ...overrides,
    database: {
      ...overrides.database,
      async commit(writes) {
        const version = await overrides.database.commit(writes);
        if (at > lastCall && faulty.calls.length > lastCall) await ask();
        return version;
      },
    },
  },
});
