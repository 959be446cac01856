/** The deployed package: dist/ alone, in an empty folder, started as each function. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../../functions/index.ts';
import type { FakeStripe } from '../../../local/fakes/stripe/stripe.ts';
import { parseOptions } from '../../../tools/deploy/options.ts';
import { createEnvironment } from '../../../tools/deploy/planFunctions.ts';
import { eventBody, eventHeaders } from '../../support/accountEvents.ts';
import { brokenInvariants } from '../../support/invariants.ts';
import { paymentEnv, startStripe, stripeKey, webhookSecret } from '../../support/paymentStudio.ts';
import { buildInto, run } from '../../support/programs.ts';
import { type ServerProcess, startServerProcesses } from '../../support/serverProcess.ts';
import { type Stack, startStack } from '../../support/stack.ts';

// Each function starts a process, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let folder: string;
let stack: Stack;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;
let token: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-dist-'));
  await buildInto(folder);
  stack = await startStack();
  processes = await startServerProcesses(stack);
  await stack.user('ada', 10);
  token = processes.tokenFor('ada');
});
afterAll(async () => {
  await processes?.close();
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a function's process as its container does, in a folder without node_modules. */
const start = (target: string, env: Record<string, string> = {}) =>
  processes.start({ FUNCTION_TARGET: target, ...env }, join(folder, 'main.mjs'), folder);

const call = async ({ url }: ServerProcess, init: RequestInit = {}, path = '/') => {
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  return { status: response.status, body: text.startsWith('<') ? text : text ? JSON.parse(text) : undefined };
};

const as = (who: string, more: RequestInit = {}): RequestInit => ({
  ...more,
  headers: {
    authorization: `Bearer ${who}`,
    'content-type': 'application/json',
    ...(more.headers as object),
  },
});
const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers,
});

let generationId: string;
let sharePath: string;
let reportId: string;

/** Calls each function as Hosting or Scheduler does, with valid credentials, and checks the answer. */
const answers: Record<string, (server: ServerProcess) => Promise<void>> = {
  async account(server) {
    const { status, body } = await call(server, as(token), '/account');
    expect([status, body.account.balance]).toEqual([200, 10]);
  },
  async enhance(server) {
    const { status, body } = await call(server, as(token, post({ prompt: 'A banana' })), '/enhance');
    expect([status, body.enhanced]).toEqual([200, true]);
  },
  async generate(server) {
    const request = post({ prompt: 'A banana', tier: 'premium2' }, { 'idempotency-key': 'one' });
    const { status, body } = await call(server, as(token, request), '/generate');
    expect([status, body.receipt.balance]).toEqual([200, 8]);
    generationId = body.generation.id;
  },
  async generation(server) {
    const { status, body } = await call(server, as(token), `/generation?id=${generationId}`);
    expect([status, body.generation.status]).toEqual([200, 'succeeded']);
  },
  async gallery(server) {
    const { status, body } = await call(server, as(token), '/gallery');
    expect([status, body.generations.length]).toEqual([200, 1]);
  },
  async ledger(server) {
    const { status, body } = await call(server, as(token), '/ledger');
    expect([status, body.entries.length]).toEqual([200, 2]);
  },
  async acceptTerms(server) {
    const { status, body } = await call(server, as(token, post({ version: '1' })), '/acceptTerms');
    expect([status, body.error.details[1].fieldViolations]).toMatchObject([400, [{ field: 'version' }]]);
  },
  async exportAccount(server) {
    const { status, body } = await call(server, as(token), '/exportAccount');
    expect([status, body.account.uid, body.generations.length]).toEqual([200, 'ada', 1]);
  },
  async favourite(server) {
    const request = as(token, post({ id: generationId, favourite: true }));
    const { status, body } = await call(server, request, '/favourite');
    expect([status, body.generation.favourite]).toEqual([200, true]);
  },
  async share(server) {
    const { status, body } = await call(
      server,
      as(token, post({ id: generationId, shared: true })),
      '/share',
    );
    sharePath = new URL(body.generation.shareUrl).pathname;
    expect([status, sharePath]).toEqual([200, expect.stringMatching(/^\/i\/[\w-]{22}$/)]);
  },
  async sharedImage(server) {
    const { status, body } = await call(server, {}, sharePath);
    expect([status, body]).toEqual([200, expect.stringContaining('Made with AI')]);
  },
  async report(server) {
    const request = post({ token: sharePath.split('/').at(-1), reason: 'other' });
    const init = { ...request, headers: { 'content-type': 'application/json' } };
    const { status, body } = await call(server, init, '/report');
    expect([status, body.received]).toEqual([200, true]);
  },
  async reports(server) {
    const { status, body } = await call(server, as('owner'), '/reports');
    expect([status, body.reports.length]).toEqual([200, 1]);
    reportId = body.reports[0].id;
  },
  async resolveReport(server) {
    const request = as('owner', post({ id: reportId, resolution: 'dismissed' }));
    const { status, body } = await call(server, request, '/resolveReport');
    expect([status, body.report.status]).toEqual([200, 'dismissed']);
  },
  async takedown(server) {
    const request = as('owner', post({ uid: 'ada', generationId, reason: 'a test' }));
    const { status, body } = await call(server, request, '/takedown');
    expect([status, body.generation.removedBy]).toEqual([200, 'studio']);
  },
  async deleteGeneration(server) {
    const { status, body } = await call(server, as(token, post({ id: generationId })), '/deleteGeneration');
    expect([status, body.generation.status]).toEqual([200, 'deleted']);
  },
  async grant(server) {
    const request = post({ uid: 'ada', amount: 5, reason: 'a test' }, { 'idempotency-key': 'two' });
    const { status, body } = await call(server, as('owner', request), '/grant');
    expect([status, body.account.balance]).toEqual([200, 13]);
  },
  async suspend(server) {
    const request = post({ uid: 'ada', suspended: false, reason: 'a test' });
    const { status, body } = await call(server, as('owner', request), '/suspend');
    expect([status, body.account.suspended]).toEqual([200, false]);
  },
  async closeAccount(server) {
    const { status, body } = await call(server, as(token, post({ confirm: 'close' })), '/closeAccount');
    expect([status, body.error.details[1].fieldViolations]).toMatchObject([400, [{ field: 'confirm' }]]);
  },
  async adminOverview(server) {
    const { status, body } = await call(server, as('owner'), '/adminOverview');
    expect([status, body.money]).toEqual([200, []]);
  },
  async adminAccounts(server) {
    const { status, body } = await call(server, as('owner'), '/adminAccounts?find=ada');
    expect([status, body.accounts.length]).toEqual([200, 1]);
  },
  async adminAccount(server) {
    const { status, body } = await call(server, as('owner'), '/adminAccount?uid=ada');
    expect([status, body.account.uid]).toEqual([200, 'ada']);
  },
  async audit(server) {
    const { status, body } = await call(server, as('owner'), '/audit?uid=ada');
    expect([status, body.accounts[0].ok]).toEqual([200, true]);
  },
  checkQuota: (server) => job(server, 'models'),
  refillAllowances: (server) => job(server, 'checked'),
  sweepHolds: (server) => job(server, 'refunded'),
  reconcile: (server) => job(server, 'broken'),
};

let stripe: FakeStripe;
let sessionId: string;

/** What each function of payments does for one purchase, in this order. */
const sales: Record<string, (server: ServerProcess) => Promise<void>> = {
  async packs(server) {
    const { status, body } = await call(server, {}, '/packs');
    expect([status, body.packs.length]).toEqual([200, 3]);
  },
  async checkout(server) {
    const request = as(token, post({ pack: 'starter' }, { 'idempotency-key': 'buy' }));
    const { status, body } = await call(server, request, '/checkout');
    expect(status).toBe(200);
    sessionId = body.sessionId;
    stripe.control.pay({ session: sessionId });
  },
  async stripeWebhook(server) {
    const event = stripe.events().find(({ type }) => type === 'checkout.session.completed');
    const payload = JSON.stringify(event);
    const { webhooks } = new Stripe(stripeKey);
    const signature = webhooks.generateTestHeaderString({ payload, secret: webhookSecret });
    const deliver = (text: string) =>
      call(server, { method: 'POST', body: payload, headers: { 'stripe-signature': text } });
    expect((await deliver('t=1,v1=00')).status).toBe(400);
    expect((await deliver(signature)).status).toBe(200);
  },
  async confirmCheckout(server) {
    const { status, body } = await call(server, as(token, post({ sessionId })), '/confirmCheckout');
    expect([status, body.status, body.entry.id]).toEqual([200, 'paid', `purchase:${sessionId}`]);
  },
  async billingPortal(server) {
    const { status, body } = await call(server, as(token, post({})), '/billingPortal');
    expect([status, URL.canParse(body.url)]).toEqual([200, true]);
  },
  async reconcilePayments(server) {
    const { status, body } = await call(server, as('owner', { method: 'POST' }));
    expect([status, body.healed, body.broken]).toEqual([200, 0, []]);
  },
};

const scheduler = { SCHEDULER_AUDIENCE: 'x', SCHEDULER_SERVICE_ACCOUNT: 'x@example.com' };

async function job(server: ServerProcess, field: string): Promise<void> {
  const { status, body } = await call(server, as('owner', { method: 'POST' }));
  expect([status, Object.keys(body).includes(field)]).toEqual([200, true]);
}

describe('the package', () => {
  it('has no dependencies: an install from its lockfile downloads nothing', async () => {
    await run('npm', ['ci', '--offline', '--ignore-scripts'], { cwd: folder, home: folder });
    expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    expect(Object.keys(lock.packages)).toEqual(['']);
  });

  it("imports only Node's modules and its own files", () => {
    const { builtinModules } = createRequire(import.meta.url)('node:module');
    const code = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
    const imports = code.flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return [...text.matchAll(/(?:^|[;\n}])import(?:[\w$*{},\s]+from)?["']([^"']+)["']/g)].map(
        ([, from]) => from,
      );
    });
    expect(imports.length).toBeGreaterThan(50);
    const foreign = imports.filter((from = '') => !from.startsWith('./') && !from.startsWith('node:'));
    expect(foreign.filter((from) => !builtinModules.includes(from))).toEqual([]);
  });

  it('starts node directly, without a shell or npm in between', () => {
    expect(readFileSync(join(folder, 'Procfile'), 'utf8')).toBe('web: exec node main.mjs\n');
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).engines).toEqual({ node: '24' });
  });
});

describe('each function, from dist/ alone', () => {
  it('health answers anyone', async () => {
    const server = await start('health');
    expect((await call(server, {}, '/health')).body.status).toBe('ok');
  });

  it('has a test for every function', () => {
    expect([...Object.keys(answers), ...Object.keys(sales), 'health', 'accountWritten'].sort()).toEqual(
      Object.keys(functions).sort(),
    );
  });

  it.each(Object.keys(answers))(
    '%s refuses a call without a token or input, and answers a valid one',
    async (target) => {
      const server = await start(target, scheduler);
      const method = (await (functions[target] as () => Promise<{ spec: { method: string } }>)()).spec.method;
      const forAnyone: Record<string, number> = { sharedImage: 404, report: 400 };
      expect((await call(server, { method })).status).toBe(forAnyone[target] ?? 401);
      await answers[target]?.(server);
      server.signal('SIGTERM');
      expect(await server.ended).toEqual({ code: 0, signal: null });
    },
  );

  it('of payments does its part of a sale', async () => {
    stripe = await startStripe();
    for (const [target, act] of Object.entries(sales)) {
      const env = target === 'reconcilePayments' ? scheduler : {};
      const server = await start(target, { ...paymentEnv(stripe), ...env });
      await act(server);
      server.signal('SIGTERM');
      expect(await server.ended).toEqual({ code: 0, signal: null });
    }
    expect((await stack.ledger('ada')).entries.at(-1)).toMatchObject({ type: 'purchase', amount: 100 });
  });

  it('accountWritten handles an event', async () => {
    const server = await start('accountWritten');
    const before = (await stack.document('accounts/ada')) ?? {};
    await stack.edit('accounts/ada', { balance: 99 });
    const after = { ...before, balance: 99 };
    const { projectId } = stack;
    const event = eventBody(projectId, 'accounts/ada', { before, after });
    const response = await fetch(server.url, {
      method: 'POST',
      headers: eventHeaders(projectId, 'accounts/ada', 'admin@example.com'),
      body: new Uint8Array(event),
    });
    expect(response.ok).toBe(true);
    const { entries } = await stack.ledger('ada');
    expect(entries.at(-1)).toMatchObject({ type: 'adjustment', balance: 99, actor: 'admin@example.com' });
    expect(await brokenInvariants(stack, 'ada')).toEqual([]);
  });

  it("starts with the deploy's environment", async () => {
    const options = parseOptions(['--project', stack.projectId.slice(0, 29), '--region', 'us-central1']);
    // With Cloud Run's variables and without an emulator's.
    const env = {
      ...createEnvironment('generate', options),
      K_SERVICE: 'generate',
      K_REVISION: 'generate-00001',
      IDENTITY_HASH_KEY: '0'.repeat(64),
    };
    const server = await start('generate', {
      ...env,
      FIRESTORE_EMULATOR_HOST: '',
      FIREBASE_AUTH_EMULATOR_HOST: '',
    });
    expect((await call(server, { method: 'POST' })).status).toBe(401);
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });
});
