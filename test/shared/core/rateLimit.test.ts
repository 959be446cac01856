/** The limit on calls that cost no credits: the rule alone, and as the functions apply it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { createRateLimiter, enhanceLimit, exportLimit, readLimit } from '../../../shared/core/rateLimit.ts';
import type { Failure } from '../../../shared/errors.ts';
import { fc } from '../../support/properties.ts';
import { type RawServer, startRawServer } from '../../support/rawServer.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const windowMs = 60_000;

/** A limiter on a clock of its own. `take` returns 0 for an allowed call, else the seconds to wait. */
function limiterAt(entriesMax?: number) {
  let now = 0;
  const limiter = createRateLimiter(() => now, entriesMax);
  return {
    advance(milliseconds: number) {
      now += milliseconds;
      return now;
    },
    take(callsPerMinute: number, uid = 'ann', name = 'n'): number {
      try {
        limiter.take({ name, callsPerMinute }, uid);
        return 0;
      } catch (error) {
        expect((error as Failure).reason).toBe('RATE_LIMITED');
        expect((error as Failure).details.metadata).toEqual({ limit: name });
        return (error as Failure).details.retryAfterSeconds as number;
      }
    },
  };
}

describe('in any 60 s', () => {
  const gaps = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 70_000 })), { maxLength: 200 });

  it('allows as many calls as the limit, and refuses no call below it', () => {
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 8 }), (gapsMs, callsPerMinute) => {
        const { advance, take } = limiterAt();
        const allowed: number[] = [];
        for (const gap of gapsMs) {
          const now = advance(gap);
          const recent = allowed.filter((at) => at > now - windowMs);
          const waitSeconds = take(callsPerMinute);
          expect(waitSeconds === 0).toBe(recent.length < callsPerMinute);
          if (waitSeconds === 0) allowed.push(now);
        }
        for (const [i, at] of allowed.entries()) {
          expect((allowed[i + callsPerMinute] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(
            windowMs,
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('allows a call after Retry-After, and refuses it a second earlier', () => {
    const { advance, take } = limiterAt();
    for (const gap of [0, 7_000, 7_000]) {
      advance(gap);
      expect(take(3)).toBe(0);
    }
    advance(500);
    expect(take(3)).toBe(46);
    advance(45_000);
    expect(take(3)).toBe(1);
    advance(1_000);
    expect(take(3)).toBe(0);
    expect(take(3)).toBe(7);
  });

  it('does not count refused calls', () => {
    const { advance, take } = limiterAt();
    take(1);
    for (let i = 0; i < 100; i += 1) {
      advance(500);
      expect(take(1)).toBeGreaterThan(0);
    }
    advance(10_000);
    expect(take(1)).toBe(0);
  });
});

describe('the calls in memory', () => {
  it('are counted per user and per limit', () => {
    const { take } = limiterAt();
    expect([take(1), take(1)]).toEqual([0, 60]);
    expect(take(1, 'bob')).toBe(0);
    expect(take(1, 'ann', 'other')).toBe(0);
  });

  it('are limited: the user without a call for longest is dropped, an active user is not', () => {
    const { take } = limiterAt(3);
    expect(take(1)).toBe(0);
    for (let i = 0; i < 1_000; i += 1) {
      expect(take(1, `user-${i}`)).toBe(0);
      expect(take(1)).toBe(60);
    }
    expect(take(1, 'user-998')).toBe(60);
    expect(take(1, 'user-0')).toBe(0);
  });
});

describe('the functions', () => {
  const time = virtualClock();
  const auth = {
    user: async ({ authorization = '' }: { authorization: string | undefined }) => {
      const uid = authorization.replace('Bearer ', '');
      return { uid, email: undefined, verified: true, identities: [], signedInAt: new Date() };
    },
    admin: async () => ({ uid: 'root', actor: 'root' }),
    scheduler: async () => {},
  };
  let servers: RawServer[];
  beforeAll(async () => {
    const start = () => startRawServer({}, { auth, clock: time.clock });
    servers = await Promise.all([start(), start()]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  /** An invalid call: it needs no database, and counts. */
  async function call(name: string, uid: string, server = servers[0] as RawServer) {
    const headers = { authorization: `Bearer ${uid}`, 'content-type': 'application/json' };
    const isPost = ['enhance', 'deleteGeneration', 'favourite', 'acceptTerms', 'generate'].includes(name);
    const init = isPost ? { method: 'POST', headers, body: '{}' } : { headers };
    const response = await fetch(`${server.url}/${name}${isPost ? '' : '?unknown=1'}`, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  it.each([
    ['health', undefined],
    ['account', readLimit],
    ['ledger', readLimit],
    ['gallery', readLimit],
    ['generation', readLimit],
    ['deleteGeneration', readLimit],
    ['favourite', readLimit],
    ['acceptTerms', readLimit],
    ['exportAccount', exportLimit],
    ['enhance', enhanceLimit],
    // The ledger limits it.
    ['generate', undefined],
    ['grant', undefined],
  ])('declare the expected limit: %s', async (name, limit) => {
    const load = functions[name];
    if (typeof load !== 'function') throw new Error('No such function');
    expect((await load()).spec.limit).toEqual(limit);
  });

  it('allow 20 better prompts and 300 reads a minute, and 10 exports an hour', () => {
    const limits = [enhanceLimit.callsPerMinute, readLimit.callsPerMinute, exportLimit.callsPerHour];
    expect(limits).toEqual([20, 300, 10]);
  });

  it('refuse the 21st better prompt as the contract says, until a minute has passed', async () => {
    for (let i = 0; i < 20; i += 1) expect((await call('enhance', 'ann')).status).toBe(400);
    time.advance(10_000);
    const { status, headers, body } = await call('enhance', 'ann');
    expect([status, headers.get('retry-after')]).toEqual([429, '50']);
    expect(body.error).toMatchObject({ code: 429, status: 'RESOURCE_EXHAUSTED' });
    expect(body.error.details[0]).toMatchObject({
      reason: 'RATE_LIMITED',
      metadata: { limit: 'enhancePerMinute', retry: 'same_key' },
    });
    expect(body.error.details[1]).toMatchObject({ retryDelay: '50s' });

    expect((await call('enhance', 'bob')).status).toBe(400);
    expect((await call('account', 'ann')).status).toBe(400);
    expect((await call('enhance', 'ann', servers[1])).status).toBe(400);
    time.advance(50_000);
    expect((await call('enhance', 'ann')).status).toBe(400);
  });

  it('refuse the 11th export until an hour has passed since the first', async () => {
    for (let i = 0; i < 10; i += 1) expect((await call('exportAccount', 'zoe')).status).toBe(400);
    time.advance(3_590_000);
    const { status, headers, body } = await call('exportAccount', 'zoe');
    expect([status, headers.get('retry-after')]).toEqual([429, '10']);
    expect(body.error.message).toBe('At most 10 such calls an hour.');
    expect(body.error.details[0].metadata.limit).toBe('exportsPerHour');
    time.advance(10_000);
    expect((await call('exportAccount', 'zoe')).status).toBe(400);
  });

  it('refuse the 301st read of any kind', async () => {
    const reads = ['account', 'ledger', 'gallery', 'generation', 'deleteGeneration', 'favourite'];
    for (let i = 0; i < 300; i += 1) {
      expect((await call(reads[i % reads.length] as string, 'eve')).status).toBe(400);
    }
    for (const name of reads) {
      const { status, body } = await call(name, 'eve');
      expect(status).toBe(429);
      expect(body.error.details[0].metadata.limit).toBe('readsPerMinute');
    }
    expect((await call('generate', 'eve')).status).toBe(400);
    expect((await call('enhance', 'eve')).status).toBe(400);
  });
});
