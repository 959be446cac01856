/**
 * `npm run bench`: chooses one of the benches by the first argument.
 *
 *   npm run bench -- --runs 15                all rows against the baselines
 *   npm run bench -- load --users 200         conservation under load
 *   npm run bench -- hot --callers 32         debits of one account
 *   npm run bench -- webhook --rate 20        purchases on a warm process
 */
const benches: Record<string, () => Promise<unknown>> = {
  load: () => import('./load.ts'),
  hot: () => import('./hotAccount.ts'),
  webhook: () => import('./webhook.ts'),
};

const [name = ''] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
// The benches parse their own options, so take the name out of their way.
if (bench) process.argv.splice(2, 1);
await (bench ?? (() => import('./run.ts')))();
