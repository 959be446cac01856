/**
 * The webhook on a warm process: events of new purchases at a steady rate, each sent at its time whether or not the ones
 * before are answered. Prints p50 and p99 against the goal, and checks that every purchase gave its credits once.
 *
 *   npm run bench -- webhook --events 1000 --rate 20
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { now, waitForFirst200 } from './client.ts';
import { creditsPerPurchase, sendPurchase } from './purchases.ts';
import { startWorld } from './world.ts';

const p99MsMax = 50;
const userCount = 50;
const warmUpEvents = 200;
const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000' }, rate: { type: 'string', default: '20' } },
});
const [events, rate] = [Number(values.events), Number(values.rate)];
if (!(events >= 1 && rate > 0)) throw new Error('--events and --rate must be numbers above 0');

execFileSync(process.execPath, ['tools/build/build.ts'], { stdio: 'inherit' });
const world = await startWorld();
const project = world.getProject('ours');
const users = await Promise.all(Array.from({ length: userCount }, () => world.newUser('ours', 0)));
const server = await world.spawnServer('ours', 'stripeWebhook');
const send = (i: number) => sendPurchase(server.url, project, users[i % userCount]?.uid ?? '');
let sent = 0;

async function timedSend(): Promise<number> {
  const began = now();
  const { status, body } = await send(sent++);
  if (status !== 200) throw new Error(`stripeWebhook answered ${status}: ${body.slice(0, 300)}`);
  return now() - began;
}

await waitForFirst200(server, () => send(sent++));
for (let i = 0; i < warmUpEvents; i += 1) await timedSend();

const startsAt = now();
const times = await Promise.all(
  Array.from({ length: events }, async (_, i) => {
    await sleep(Math.max(0, (i * 1000) / rate - (now() - startsAt)));
    return timedSend();
  }),
);
times.sort((a, b) => a - b);
const percentile = (share: number) => times[Math.ceil(share * times.length) - 1] ?? Number.NaN;

const database = world.getDatabase('ours');
const accounts = await Promise.all(users.map(({ uid }) => database.doc(`accounts/${uid}`).get()));
const balance = accounts.reduce((sum, account) => sum + account.get('balance'), 0);
// Calls before the server listened are not among them.
const accepted = 1 + warmUpEvents + events;
const isExact = balance === accepted * creditsPerPurchase;
const isFast = percentile(0.99) <= p99MsMax;
process.stdout.write(`${events} events at ${rate} a second: p50 ${percentile(0.5).toFixed(1)} ms, p99 ${percentile(0.99).toFixed(1)} ms (goal ≤ ${p99MsMax} ms: ${isFast ? 'met' : 'not met'})
credits of ${accepted} purchases: ${balance}, ${isExact ? 'exact' : `not ${accepted * creditsPerPurchase}`}\n`);
await world.close();
process.exit(isExact && isFast ? 0 : 1);
