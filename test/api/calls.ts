/** Makes the calls that docs/api shows. Here: one success or more of every function. */
import Stripe from 'stripe';
import { vi } from 'vitest';
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { startFakeStripe } from '../../local/fakes/stripe/stripe.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { Overrides } from '../../shared/services.ts';
import type { Example } from '../../tools/openapi/examples.ts';
import { answerLookups } from '../support/adminLookup.ts';
import type { Reply } from '../support/replies.ts';
import { schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { startStack } from '../support/stack.ts';
import { normalise, shownReportId, shownToken } from './normalise.ts';

/** A caller: the token that is sent, and the text that the example shows instead. */
export type Caller = { uid: string; token: string; shown: string };
export type CallParams = {
  title: string;
  as?: Caller;
  method?: string;
  path: string;
  /** The example shows this instead of a path with a random part. */
  shownPath?: string;
  key?: string;
  body?: unknown;
  /** Stripe's signature of the body. */
  signature?: string;
  /** The example shows this instead of a body that is too long. */
  shownBody?: unknown;
  url?: string;
};
/** A call with its answer, and the example that is made of it. */
export type RecordedCall = { name: string; reply: Reply; example: Example };

const documentedHeaders = ['Allow', 'Idempotent-Replayed', 'Retry-After', 'WWW-Authenticate'];
/** The uids of a user and an admin. */
const ada = 'kEtXu3xG97HWemjmKxi7s3HKjKGS';
const grace = 'Wd9yqQeTrmRsBuo4c1LhXv0ZpN72';

const stripeKey = 'sk_test_51KeyOfTheExamples';
const webhookSecret = 'whsec_secret_of_the_examples';

/** Starts the functions on which the calls are made. */
export async function startCalls() {
  let gate: Promise<void> | undefined;
  const gemini = await startFakeGemini({ apiKey: 'test-gemini-key', onRequest: () => gate });
  const stripe = await startFakeStripe({
    apiKey: stripeKey,
    seed: 'examples',
    prices: [
      { id: 'price_starter', unitAmount: 500 },
      { id: 'price_studio', unitAmount: 2000 },
    ],
  });
  const stack = await startStack({
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    SIGNUP_CREDITS: '10',
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_API_BASE_URL: stripe.url,
    CREDIT_PACKS: 'starter=price_starter:100,studio=price_studio:500',
    PUBLIC_URL: 'https://studio.example.com',
    ...schedulerEnv,
  });
  answerLookups(stack);
  const servers: { close: () => Promise<void> }[] = [];

  return {
    stack,
    gemini,
    stripe,
    /** Starts another server, with another configuration or with a broken part. */
    async server(env: Record<string, string> = {}, overrides: Overrides = {}) {
      const server = await stack.startServer(env, overrides);
      servers.push(server);
      return server;
    },
    /** Makes the model wait from now on. Returns a function that lets it continue. */
    holdModel(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
    /** Lets new calls of the model pass. Those that wait keep waiting. */
    letNewCallsPass() {
      gate = undefined;
    },
    async user(uid: string, email = `${uid}@example.com`, claims: object = {}): Promise<Caller> {
      return { uid, token: await stack.tokenFor(uid, { email, ...claims }), shown: 'Bearer $ID_TOKEN' };
    },
    async call(params: CallParams): Promise<RecordedCall> {
      const { path, key, body, as, url, title, method = body === undefined ? 'GET' : 'POST' } = params;
      const headers = {
        ...(as && { Authorization: `Bearer ${as.token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(key !== undefined && { 'Idempotency-Key': key }),
      };
      const sent = { ...headers, ...(params.signature && { 'Stripe-Signature': params.signature }) };
      const init = { method, headers: sent, ...(body !== undefined && { body: JSON.stringify(body) }) };
      const reply = await stack.fetch(path, init, url);
      const shown = 'shownBody' in params ? params.shownBody : body;
      const request = {
        method,
        path: `/${params.shownPath ?? path}`,
        headers: {
          ...headers,
          ...(as && { Authorization: as.shown }),
          ...(params.signature && { 'Stripe-Signature': 't=$TIME,v1=$SIGNATURE' }),
        },
        ...(shown !== undefined && { body: shown }),
      };
      const shownHeaders = documentedHeaders.flatMap((name): [string, string][] => {
        const value = reply.headers.get(name);
        return value === null ? [] : [[name, value]];
      });
      const response = { status: reply.status, headers: Object.fromEntries(shownHeaders), body: reply.body };
      const example = { title, request, response: normalise(response) };
      return { name: path.split('?')[0] as string, reply, example };
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      await Promise.all([stack.close(), gemini.close(), stripe.close()]);
      vi.unstubAllGlobals();
    },
  };
}

export type Calls = Awaited<ReturnType<typeof startCalls>>;

/** Calls every function with success, in an order in which each finds the data that it needs. */
export async function callEveryFunction(all: Calls): Promise<RecordedCall[]> {
  const { stack, call, server, user } = all;
  const calls: RecordedCall[] = [];
  const add = async (params: CallParams) => {
    const recorded = await call(params);
    calls.push(recorded);
    return recorded;
  };
  // Its warnings about models depend on the day.
  const winter = await server(
    {},
    { clock: { ...systemClock, now: () => Date.parse('2026-01-31T12:00:00Z') } },
  );
  const termsUrl = 'https://studio.example/terms';
  const formal = await server({ TERMS_VERSION: '2026-11', TERMS_URL: termsUrl });
  const generous = await server({ ALLOWANCE_CREDITS: '25', ALLOWANCE_PERIOD: 'month' });
  const as = await user(ada, 'ada@example.com');
  const admin = {
    uid: grace,
    token: await stack.tokenFor(grace, { email: 'grace@example.com', admin: true }),
    shown: 'Bearer $ADMIN_ID_TOKEN',
  };
  const scheduler = { uid: '', token: await schedulerToken(stack), shown: 'Bearer $SCHEDULER_TOKEN' };
  const prompt = 'A banana in a space suit';

  await add({ title: 'A healthy instance', path: 'health', url: winter.url });
  await add({ title: 'The first call of a user', as, path: 'account' });
  await add({ title: 'An improved prompt', as, path: 'enhance', body: { prompt } });
  const imageRequest = { as, path: 'generate', key: 'b1b8c2a0-first', body: { prompt, tier: 'premium2' } };
  const { reply } = await add({ title: 'An image', ...imageRequest });
  await add({ title: 'The same call again', ...imageRequest });
  const { id } = reply.body.generation;
  const more = { tier: 'standard', references: [{ generationId: id }] };
  const onTheMoon = { prompt: 'The same banana, on the moon', ...more };
  const second = (
    await add({
      title: 'With a reference image',
      as,
      path: 'generate',
      key: 'b1b8c2a0-second',
      body: onTheMoon,
    })
  ).reply.body.generation;
  await add({ title: 'By its id', as, path: `generation?id=${id}` });
  await add({ title: 'By its key', as, path: 'generation?key=b1b8c2a0-second' });
  await add({ title: 'The newest image', as, path: 'gallery?pageSize=1' });
  await add({ title: 'Marks an image', as, path: 'favourite', body: { id, favourite: true } });
  await add({ title: 'Favourites with two words', as, path: 'gallery?query=space+banana&favourite=true' });
  await add({ title: 'The newest entries', as, path: 'ledger?pageSize=2' });
  await add({
    title: 'The user accepts the terms',
    as,
    path: 'acceptTerms',
    body: { version: '2026-11' },
    url: formal.url,
  });
  await add({ title: 'The terms are accepted', as, path: 'account', url: formal.url });
  const shared = await add({ title: 'Makes an image public', as, path: 'share', body: { id, shared: true } });
  const token = shared.reply.body.generation.shareUrl.split('/').at(-1) as string;
  const [path, shownPath] = [`sharedImage?token=${token}`, `i/${shownToken}`];
  await add({ title: 'The page of an image', path, shownPath });
  const complaint = { reason: 'copyright', details: 'This is a copy of my photograph.' };
  await add({
    title: 'A report',
    path: 'report',
    body: { token, ...complaint },
    shownBody: { token: shownToken, ...complaint },
  });

  const listed = await add({ title: 'One report', as: admin, path: 'reports' });
  const resolution = 'dismissed';
  await add({
    title: 'Dismisses a report',
    as: admin,
    path: 'resolveReport',
    body: { id: listed.reply.body.reports[0].id, resolution },
    shownBody: { id: shownReportId, resolution },
  });
  await add({ title: 'Everything', as, path: 'exportAccount' });
  await add({ title: 'Makes it private again', as, path: 'share', body: { id, shared: false } });
  const removed = { uid: ada, generationId: second.id, reason: 'The image shows a living person.' };
  await add({ title: 'Removes an image', as: admin, path: 'takedown', body: removed });
  await add({ title: 'Deletes an image', as, path: 'deleteGeneration', body: { id } });
  const leaver = await user('leaver');
  await add({ title: 'Everything is erased', as: leaver, path: 'closeAccount', body: { confirm: 'CLOSE' } });

  const grant = { uid: ada, amount: 10, reason: 'Welcome' };
  await add({ title: 'Ten credits', as: admin, path: 'grant', key: 'welcome-ada', body: grant });
  await add({ title: 'The same call again', as: admin, path: 'grant', key: 'welcome-ada', body: grant });
  const suspension = { uid: ada, suspended: true, reason: 'A card was stolen' };
  await add({ title: 'The person behind an account', as: admin, path: 'suspend', body: suspension });
  const end = { uid: ada, suspended: false, reason: 'A mistake' };
  await add({ title: 'Restore the person', as: admin, path: 'suspend', body: end });
  await add({ title: 'One account', as: admin, path: `audit?uid=${ada}` });
  await add({ title: 'Find an account', as: admin, path: 'adminAccounts?find=ada@example.com' });
  await add({ title: 'One account in full', as: admin, path: `adminAccount?uid=${ada}` });
  await add({
    title: 'Today',
    as: admin,
    path: 'adminOverview',
  });

  const job = { as: scheduler, method: 'POST' };
  await add({ title: 'All models are ready', ...job, path: 'checkQuota', url: winter.url });
  await add({ title: 'Tops up one account', ...job, path: 'refillAllowances', url: generous.url });
  await add({ title: 'Nothing is overdue', ...job, path: 'sweepHolds' });
  await add({ title: 'Everything adds up', ...job, path: 'reconcile' });
  await buyCredits(all, as, add);
  await add({ title: 'Everything is in the ledger', ...job, path: 'reconcilePayments' });
  return calls;
}

/** Buys a pack. */
async function buyCredits(
  { stripe }: Calls,
  as: Caller,
  add: (params: CallParams) => Promise<RecordedCall>,
): Promise<void> {
  await add({ title: 'Two packs', path: 'packs' });
  const purchase = { as, path: 'checkout', key: 'b1b8c2a0-purchase', body: { pack: 'starter' } };
  const { reply } = await add({ title: 'A hundred credits', ...purchase });
  const { sessionId } = reply.body;
  const confirmation = { as, path: 'confirmCheckout', body: { sessionId } };
  await add({ title: 'Before the payment', ...confirmation });
  stripe.control.pay({ session: sessionId });
  const event = stripe.events().findLast(({ type }) => type === 'checkout.session.completed');
  const payload = JSON.stringify(event);
  await add({
    title: 'A paid session',
    path: 'stripeWebhook',
    body: event,
    shownBody: { id: 'evt_…', type: 'checkout.session.completed' },
    signature: new Stripe(stripeKey).webhooks.generateTestHeaderString({ payload, secret: webhookSecret }),
  });
  await add({ title: 'After the payment', ...confirmation });
  await add({ title: 'The portal', as, path: 'billingPortal', body: {} });
}
