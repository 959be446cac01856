/**
 * The limit of holds per minute across processes: two ledgers, as in two processes, on one database with a clock
 * of the test. Calls come alone and at once, with random gaps.
 */
import { expect, it } from 'vitest';
import { generateRequestSchema } from '../../../shared/contract.ts';
import { createLog } from '../../../shared/core/log.ts';
import type { Database } from '../../../shared/database/database.ts';
import { toFailure } from '../../../shared/errors.ts';
import { hold } from '../../../shared/generation/hold.ts';
import { createLedger } from '../../../shared/ledger/ledger.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { alwaysAvailable } from '../../support/alwaysAvailable.ts';
import { createLedgerSettings } from '../../support/ledgerSettings.ts';
import { fc } from '../../support/properties.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const windowMs = 60_000;
const startsAt = Date.parse('2026-01-01T00:00:00Z');
const request = generateRequestSchema.parse({ prompt: 'A banana', tier: 'standard' });
const holder = { uid: 'ann', email: undefined, verified: true, identities: [] };

/** Rounds of calls: the gap to the previous round, and how many calls come at once in each process. */
const rounds = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 30_000 }), fc.integer({ min: 59_990, max: 60_010 })),
    calls: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
  }),
  { minLength: 1, maxLength: 25 },
);

it('accepts exactly the limit in any 60 s, and Retry-After is long enough', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, fc.integer({ min: 1, max: 6 }), async (all, maxPerMinutePerUser) => {
      let now = startsAt;
      const database = createInterleavedDatabase(createMemoryDatabase(createMemoryStore(() => now)));
      const limits = { maxInFlightPerUser: 1_000, maxPerMinutePerUser, maxRefundsPerHourPerUser: 1_000 };
      const settings = createLedgerSettings({ signupCredits: 1_000, limits, holdMs: 10 });
      const quiet = createLog(() => {});
      const processes = [0, 1].map(() => createLedger(database, settings, quiet, virtualClock().clock));
      const held: number[] = [];
      let calls = 0;
      const call = async (index: number) => {
        calls += 1;
        const params = {
          id: calls.toString(16).padStart(32, '0'),
          fingerprint: 'f',
          request,
          availability: alwaysAvailable,
        };
        return hold(processes[index] as (typeof processes)[0], holder, params).then(
          () => 0,
          (error) => {
            expect(toFailure(error).reason).toBe('RATE_LIMITED');
            return toFailure(error).details.retryAfterSeconds as number;
          },
        );
      };

      for (const { gapMs, calls } of all) {
        now += gapMs;
        const waits = await Promise.all(
          calls.flatMap((count, index) => Array.from({ length: count }, () => call(index))),
        );
        const room = Math.max(0, maxPerMinutePerUser - held.filter((at) => at > now - windowMs).length);
        const accepted = waits.filter((wait) => wait === 0).length;
        expect(accepted).toBe(Math.min(room, waits.length));
        held.push(...Array(accepted).fill(now));
        const wait = waits.find((seconds) => seconds > 0);
        if (wait === undefined) continue;
        now += wait * 1_000;
        expect(await call(0)).toBe(0);
        held.push(now);
      }
      for (const [i, at] of held.entries()) {
        const next = held[i + maxPerMinutePerUser] ?? Number.POSITIVE_INFINITY;
        expect(next - at).toBeGreaterThanOrEqual(windowMs);
      }
    }),
    { numRuns: 100 },
  );
});

/** Other calls come between a read and its commit, as over a network. */
function createInterleavedDatabase(database: Database): Database {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    ...database,
    read: (paths) => turn().then(() => database.read(paths)),
    commit: (writes) => turn().then(() => database.commit(writes)),
    page: (page) => turn().then(() => database.page(page)),
  };
}
