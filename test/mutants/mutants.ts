/**
 * Plausible mistakes, each as text to replace in one file. Text that is not there exactly once ends the run,
 * so that no mutant can quietly come to change nothing.
 */

// The pieces of source are text, whatever stands in them.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are not meant to be templates.
export type Mutant = { name: string; file: string; from: string; to: string };

const refund = 'shared/generation/refund.ts';
const hold = 'shared/generation/hold.ts';
const settle = 'shared/generation/settle.ts';
const credits = 'shared/ledger/credits.ts';
const outbox = 'shared/generation/outbox.ts';
const grant = 'shared/ledger/grant.ts';
const retryCommit = 'shared/database/retryCommit.ts';
const ledger = 'shared/ledger/ledger.ts';
const cache = 'shared/generation/cache.ts';
const refill = 'shared/ledger/refillAllowance.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'a hold is anybody’s: its owner token is not checked',
    file: hold,
    from: "if (record.owner !== owner) return 'met';",
    to: '',
  },
  {
    name: 'settling is not fenced: it writes whatever version is there',
    file: settle,
    from: 'data, at: record.version }',
    to: 'data, at: (await findGeneration(database, held.uid, held.id)).record?.version ?? record.version }',
  },
  {
    name: 'a refund is not fenced: it writes whatever version is there',
    file: refund,
    from: '{ update: generationPath(uid, id), data, at: record.version }',
    to: '{ update: generationPath(uid, id), data, at: (await findGeneration(database, uid, id)).record?.version ?? record.version }',
  },
  {
    name: 'a refund does not look at the state',
    file: refund,
    from: "const mayRefund = record.status === 'pending' && (",
    to: 'const mayRefund = (',
  },
  {
    name: 'a deadline is not looked at',
    file: refund,
    from: "return record.status === 'pending' && record.deadline.getTime() <= now.getTime();",
    to: "return record.status === 'pending';",
  },
  {
    name: 'a deadline is compared with the local clock',
    file: refund,
    from: 'const { documents, readTime: now } = await database.read([accountPath(uid), generationPath(uid, id)]);',
    to: 'const { documents } = await database.read([accountPath(uid), generationPath(uid, id)]); const now = new Date();',
  },
  {
    name: 'whoever reads a late generation leaves it pending',
    file: refund,
    from: 'return record && isExpired(record, readTime) ? (await expire(books, record)).record : record;',
    to: 'return record;',
  },
  {
    name: 'whoever repeats a late call leaves it pending',
    file: hold,
    from: "return expired ? { outcome: 'met', record: (await expire(books, outcome.record)).record } : outcome;",
    to: 'return outcome;',
  },
  {
    name: 'settled does not move with an entry',
    file: credits,
    from: 'account: { ...account, balance, settled, sequence },',
    to: 'account: { ...account, balance, sequence },',
  },
  {
    name: 'an adjustment does not move settled',
    file: credits,
    from: 'const after = { ...account, balance, settled: balance };',
    to: 'const after = { ...account, balance };',
  },
  {
    name: 'the id of an entry is random',
    file: credits,
    from: 'id: `${generationId}:refund`,',
    to: 'id: `${generationId}:refund:${Math.random()}`,',
  },
  {
    name: 'an account is written whatever its version',
    file: credits,
    from: '{ update: `accounts/${account.uid}`, data, at: before.version },',
    to: '{ set: `accounts/${account.uid}`, data },',
  },
  {
    name: 'a price is taken whatever the balance',
    file: credits,
    from: 'if (balance < credits) {',
    to: 'if (balance < 0) {',
  },
  {
    name: 'a refund overwrites an invalid balance',
    file: credits,
    from: 'if (account.balance !== null) data.balance = account.balance;',
    to: 'data.balance = account.balance ?? account.settled;',
  },
  {
    name: 'an adjust stays where it was',
    file: credits,
    from: 'if (before.adjust !== undefined && account.adjust === undefined) data.adjust = removed;',
    to: '',
  },
  {
    name: 'holds of the last minute are not counted',
    file: credits,
    from: 'rate: [...recentHolds(account, now), now],',
    to: 'rate: recentHolds(account, now),',
  },
  {
    name: 'finished generations count as in flight',
    file: hold,
    from: "documents[i]?.data.status === 'pending');",
    to: 'documents.length > 0 && i >= 0);',
  },
  {
    name: 'a refusal of a hold forgets the edit it met',
    file: hold,
    from: 'if (news.length > 0) await database.commit(news);',
    to: '',
  },
  {
    name: 'a refusal of a grant forgets the edit it met',
    file: grant,
    from: 'if (edited.account !== account) await database.commit(changeWrites(account, edited, now));',
    to: '',
  },
  {
    name: 'a grant does not look whose key it is',
    file: grant,
    from: 'if (grant.uid !== uid || grant.amount !== amount) throw keyReused();',
    to: '',
  },
  {
    name: 'a grant does not keep its key',
    file: grant,
    from: 'await database.commit([...changeWrites(account, change, now), { create: grantPath, data: grant }]);',
    to: 'await database.commit(changeWrites(account, change, now));',
  },
  {
    name: 'a repeated call is charged: the id is not of the key alone',
    file: 'shared/generation/record.ts',
    from: 'JSON.stringify([uid, key])',
    to: 'JSON.stringify([uid, key, Math.random()])',
  },
  {
    name: 'users share their keys',
    file: 'shared/generation/record.ts',
    from: 'JSON.stringify([uid, key])',
    to: 'JSON.stringify([key])',
  },
  {
    name: 'a key with another body is answered like a repeated call',
    file: 'shared/generation/response.ts',
    from: 'if (record.fingerprint !== fingerprint) {',
    to: 'if (record.fingerprint === undefined) {',
  },
  {
    name: 'the fingerprint leaves out a part of the body',
    file: 'shared/generation/record.ts',
    from: `    tier,
    orientation,
    enhance,
    fresh,`,
    to: `    tier,
    enhance,
    fresh,`,
  },
  {
    name: 'a final failure is told without its receipt',
    file: 'shared/generation/response.ts',
    from: `        receipt,
        retry: 'new_key',`,
    to: "        retry: 'new_key',",
  },
  {
    name: 'a refund forgets the outbox',
    file: refund,
    from: '...(mayBeStored ? [outboxWrite(orphan(record, now))] : []),',
    to: '',
  },
  {
    name: 'an expired generation is thought to have no image',
    file: refund,
    from: 'failure: expired, mayBeStored: true }',
    to: 'failure: expired, mayBeStored: false }',
  },
  {
    name: 'a deletion forgets the outbox',
    file: 'shared/generation/deleteGeneration.ts',
    from: "const removed = await erase({ ...erased, ...own, status: 'deleted' }, ...writes);",
    to: "const removed = await erase({ ...erased, ...own, status: 'deleted' });",
  },
  {
    name: 'what is pending may be deleted',
    file: 'shared/generation/deleteGeneration.ts',
    from: "if (record.status === 'pending') {",
    to: "if (record.status === 'refunded' && record.prompt === undefined) {",
  },
  {
    name: 'an image is deleted once, though it may still arrive',
    file: outbox,
    from: 'remainingMs > 0 ? postpone(Math.min(repeatMs, remainingMs)) : { delete: path };',
    to: '{ delete: path };',
  },
  {
    name: 'an image that could not be deleted is forgotten',
    file: outbox,
    from: 'await converge(undefined, () => database.commit([postpone(retryMs)]));',
    to: 'await converge(undefined, () => database.commit([{ delete: path }]));',
  },
  {
    name: 'the sweep takes the local clock for the outbox',
    file: outbox,
    from: 'const remainingMs = item.until.getTime() - now.getTime();',
    to: 'const remainingMs = item.until.getTime() - Date.now();',
  },
  {
    name: 'the sweep names a document by its path where the id is wanted',
    file: 'shared/generation/sweep.ts',
    from: 'const after = ({ data, id }: StoredDocument) => [data.dueAt, id];',
    to: 'const after = ({ data, path }: StoredDocument) => [data.dueAt, path];',
  },
  {
    name: 'an upload begins after its deadline',
    file: 'functions/generate.ts',
    from: 'const storeMs = left();',
    to: 'const storeMs = Math.max(1_000, endsAt - clock.elapsed());',
  },
  {
    name: 'a failed upload is thought to have stored nothing',
    file: 'functions/generate.ts',
    from: 'mayBeStored = true;',
    to: 'mayBeStored = false;',
  },
  {
    name: 'a failed refund is told as final',
    file: 'functions/generate.ts',
    from: "throw failure.with({ receipt, retry: 'same_key' });",
    to: "throw failure.with({ receipt, retry: 'new_key' });",
  },
  {
    name: 'a rejected commit is an error, and is not looked into',
    file: retryCommit,
    from: 'if (!isDatabaseTrouble(error)) throw error;',
    to: "if (error instanceof CommitRejected) throw new Failure('DATABASE_UNAVAILABLE', 'It was rejected.'); if (!isDatabaseTrouble(error)) throw error;",
  },
  {
    name: 'a hold tries again with what it read first',
    file: hold,
    from: 'const { documents, readTime: now } = await readForHold(database, uid, wanted, gate);',
    to: `const first = wanted as { first?: Awaited<ReturnType<typeof readForHold>> };
  const { documents, readTime: now } = (first.first ??= await readForHold(database, uid, wanted, gate));`,
  },
  {
    name: 'settling takes a rejected commit for its own success',
    file: settle,
    from: `cacheItem(held, held.cacheKey, cacheUntil)] : []),
    ]);`,
    to: `cacheItem(held, held.cacheKey, cacheUntil)] : []),
    ]).catch(() => record.version);`,
  },
  {
    name: 'an account that is missing is made over whatever is there',
    file: ledger,
    from: 'await database.commit([{ create: accountPath(uid), data }]);',
    to: 'await database.commit([{ set: accountPath(uid), data }]);',
  },
  {
    name: 'an account that comes back gets signup credits again',
    file: ledger,
    from: '(await newestEntry(database, accountPath(uid))) ? {} : { signupDue: true };',
    to: '{ signupDue: true };',
  },
  {
    name: 'an account that comes back begins its books anew',
    file: ledger,
    from: 'return readAccount(document, await newestEntry(database, document.path));',
    to: 'return readAccount(document);',
  },
  {
    name: 'twins do not know of each other',
    file: cache,
    from: 'const data = { sharers: [...sharersOf(source), twin] };',
    to: 'const data = { sharers: sharersOf(source) };',
  },
  {
    name: 'a twin is made of what may be deleted meanwhile',
    file: hold,
    from: '...news, { create: path, data }, shareWrite(source, id)]);',
    to: '...news, { create: path, data }]);',
  },
  {
    name: 'the first of twins to be deleted takes their image along',
    file: cache,
    from: 'const orphaned = sharers.length === 0 ?',
    to: 'const orphaned = sharers.length >= 0 ?',
  },
  {
    name: 'the last of twins to be deleted leaves their image behind',
    file: cache,
    from: 'const outbox = orphaned ?',
    to: 'const outbox = orphaned && owner === record ?',
  },
  {
    name: 'the cache gives what is deleted',
    file: cache,
    from: "const isWhole = record?.status === 'succeeded' && record.image !== null;",
    to: 'const isWhole = record !== undefined;',
  },
  {
    name: 'the cache gives one shape for another',
    file: 'shared/generation/record.ts',
    from: 'hashOf({ uid, modelId, prompt, tier, orientation, enhance, references })',
    to: 'hashOf({ uid, modelId, prompt, enhance, references })',
  },
  {
    name: 'the cache does not look whether a fresh image is wanted',
    file: hold,
    from: 'const source = request.fresh ? undefined :',
    to: 'const source =',
  },
  {
    name: 'what the cache gives is charged',
    file: hold,
    from: '{ ...terms, credits: 0 });',
    to: 'terms);',
  },
  {
    name: 'an allowance is added, not topped up to',
    file: credits,
    from: 'const missing = allowance - (account.balance ?? allowance);',
    to: 'const missing = allowance;',
  },
  {
    name: 'a refill forgets the edit it met',
    file: refill,
    from: 'andThen(recordEdit(account), (edited) =>',
    to: 'andThen({ account, entries: [] }, (edited) =>',
  },
  {
    name: 'signup credits are for everybody',
    file: ledger,
    from: 'if (!account.signupDue || !holder.verified) return change;',
    to: 'if (!account.signupDue) return change;',
  },
];
