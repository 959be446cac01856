/**
 * Plausible mistakes, each as a structural pattern and its replacement. `$A` captures one piece of code and `$$$A` a
 * list; the replacement may use both. The patterns name what never changes: fields of documents, statuses, ids of
 * entries, reasons. Everything else is captured, so that a mutant survives a rename and a reformat.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the patterns are code.
import { inClosedAccounts, inClosing } from './closing.ts';
import { inEdits } from './editMutants.ts';
import { inIdentities } from './identities.ts';
import { inDebts, inPaymentFunctions, inPayments, inPurchases } from './paymentMutants.ts';
import { anywhere, type Mutant, type Mutants, object, property } from './rules.ts';
import { inPages, inSearches } from './searchMutants.ts';
import { inShares, inSharing } from './sharingMutants.ts';
import { inImagegen, inImages, inPrompts } from './upstreamMutants.ts';

const changeAccountTest = 'test/shared/ledger/changeAccount.test.ts';
const termsTest = 'test/shared/people/terms.test.ts';
const sweepTurnsTest = 'test/shared/generation/sweepTurns.test.ts';
const deadConnectionTest = 'test/shared/database/deadConnection.test.ts';
const retryCommitTest = 'test/shared/database/retryCommit.test.ts';
const admissionTest = 'test/shared/generation/admission.test.ts';
const twinsTest = 'test/shared/generation/twins.test.ts';
const spoiltTest = 'test/shared/generation/spoiltGenerations.test.ts';
const connectionsTest = 'test/shared/http/connections.test.ts';

/** The rules of credit, and the commands on one account. */
const inLedger: Mutants = {
  'a larger image costs no more': {
    find: '$C[$T] * $F[$R]',
    replace: '$C[$T]',
  },
  'settled does not move with an entry': {
    find: object('...$A, balance, $S, sequence'),
    replace: '{ ...$A, balance, sequence }',
  },
  'an adjustment does not move settled': {
    find: object('...$A, balance, $S: balance, note: undefined'),
    replace: '{ ...$A, balance, note: undefined }',
  },
  'the id of an entry is random': {
    find: '`${$G}:refund`',
    replace: '`${$G}:refund:${Math.random()}`',
  },
  'a price is taken whatever the balance': {
    find: '$B < $C ? $F($C, $B) : undefined',
    replace: '$B < 0 ? $F($C, $B) : undefined',
  },
  'a refund overwrites an invalid balance': {
    find: 'if ($A.balance !== null) $D.balance = $A.balance',
    replace: '$D.balance = $A.balance ?? $D.settled;',
  },
  'an adjust stays where it was': {
    find: 'if ($B.adjust !== undefined && $A.adjust === undefined) $D.adjust = removed',
    replace: '',
  },
  'holds of the last minute are not counted': {
    find: property('rate: [...$R, $N]'),
    replace: 'rate: [...$R]',
  },
  'a debit does not count as a use of the account': {
    find: object('...$A, active, rate: $R, usedAt: $N'),
    replace: '{ ...$A, active, rate: $R }',
    killedBy: 'test/shared/ledger/credits.test.ts',
  },
  'billed refunds are not counted': {
    find: 'const billedRefunds = [...$R, $N]',
    replace: 'const billedRefunds = $R;',
  },
  'an allowance that is typed wrong is paid as the default': {
    find: '$C($D.allowance) ? $D.allowance : 0',
    replace: '$C($D.allowance) ? $D.allowance : undefined',
    killedBy: 'test/shared/ledger/mistyped.test.ts',
  },
  'allowances are for everybody': {
    find: '$S || !verified || $F($A) !== undefined',
    replace: '$S || $F($A) !== undefined',
  },
  'a suspended account gets its allowance': {
    find: 'suspended || $C || !$V || $F($A) !== undefined',
    replace: '$C || !$V || $F($A) !== undefined',
    killedBy: 'test/shared/ledger/ownAllowance.test.ts',
  },
  'an allowance that an entry proves is given again for ever': {
    find: 'return refill($A, $D.get($P) ? 0 : allowance, $N)',
    replace: 'return refill($A, allowance, $N);',
  },
  'text in suspended does not suspend': {
    find: '!$F(suspended) && suspended !== false',
    replace: 'suspended === true',
    killedBy: 'test/shared/ledger/mistyped.test.ts',
  },
  'a changed sequence is not noticed': {
    find: '$F($D) && $E !== undefined && $E !== $S',
    replace: 'false',
  },
  'an edit is recorded although the sequence is wrong': {
    find: '$A.balance === null || !$A.fitsEntries',
    replace: '$A.balance === null',
  },
  'a wrong sequence that an entry rejects is tried again for ever': {
    find: 'return [...$U.keys()].some($F)',
    replace: 'return false;',
    killedBy: 'test/shared/ledger/wrongSequence.test.ts',
  },
  'an account is written over whatever an admin has typed meanwhile': {
    find: 'updateDocument($P($A.uid), $D, $B.version)',
    replace:
      '{ set: $P($A.uid), data: Object.fromEntries(Object.entries($D).filter(([, value]) => typeof value !== "symbol")) }',
  },
  'an allowance is added, not topped up to': {
    find: '$W - ($A.balance ?? $W)',
    replace: '$W',
  },
  'a refused grant forgets the edit it found': {
    find: {
      pattern: 'if ($R) return $O',
      precedes: { pattern: 'const $C = $F($A, { id: $I, amount, reason, actor, $$$ })' },
    },
    replace: 'if ($R) throw $R;',
  },
  'a grant ignores for whom its key was used': {
    find: 'if ($G.uid !== $U || $G.amount !== $A || $G.generationId !== $I) return $R',
    replace: '',
  },
  'a grant does not keep its key': {
    find: { pattern: '[createDocument($P, $G), createDocument($O, $G), $A]', inside: { kind: 'pair' } },
    replace: '[]',
  },
  "a grant's key is hashed with the admin": {
    find: 'JSON.stringify([$K])',
    replace: 'JSON.stringify([admin.uid, $K])',
    killedBy: 'test/shared/ledger/grant.test.ts',
  },
  'a missing account is created over whatever is there': {
    find: 'createDocument($P, { balance: 0, $$$F })',
    replace: '{ set: $P, data: { balance: 0, $$$F } }',
  },
  'an account that was deleted gets signup credits again': {
    find: '$K ? { verified: false } : { signupDue: true }',
    replace: '{ signupDue: true }',
    killedBy: 'test/shared/ledger/people.test.ts',
  },
  'an account that was deleted starts a new ledger': {
    find: '$F($D, (await $G($L, $I)) ?? $N)',
    replace: '$F($D)',
  },
  'signup credits are for everybody': {
    find: 'user?.verified ? await $F($L, $J, user, $G) : $J',
    replace: 'user ? await $F($L, $J, user, $G) : $J',
  },
  'a change is committed without the edit it found': {
    find: '$F($P, () => $D.$C)',
    replace: '$D.$C',
  },
  'a change is not fenced: it is written whatever the version': {
    find: 'const $V = await $D.commit($W)',
    replace: `const $V = await $D.commit(await Promise.all($W.map(async (write) =>
      'at' in write ? { ...write, at: (await $D.read([write.update])).documents[0]?.version ?? write.at } : write)));`,
  },
  'a refusal is thrown before the edit it found is committed': {
    find: 'if ($K in $D && $C) await $F($P)',
    replace: '',
  },
  'a retry decides by what the first attempt read': {
    find: {
      pattern: 'const $X = await $R($L, $P)',
      follows: { pattern: '$B = true;' },
      precedes: { pattern: '$F($L, $U, $D, $M);' },
    },
    replace: 'const $X = await ($M.first ??= $R($L, $P));',
  },
  'a retry does not look for the answer of its first attempt': {
    find: {
      pattern: 'const $E = $C.$G?.($D, $N)',
      follows: { pattern: '$F($L, $U, $D, $M);' },
    },
    replace: 'const $E = $M.isRetry ? undefined : $C.$G?.($D, $N); $M.isRetry = true;',
  },
  'documents that a decision asks for are not added': {
    find: 'for (const [$P, $D] of $M.$X) $A.set($P, $D)',
    replace: '',
  },
  'a retry does not read the entries in doubt': {
    find: '[$A, $$$B, ...$U.keys()]',
    replace: '[$A, $$$B]',
    killedBy: changeAccountTest,
  },
  'a committed entry is not logged': {
    find: { pattern: '$F($L, $U, $I, $E);', follows: { pattern: '$M.delete($P($U, $I));' } },
    replace: '',
  },
  'an entry whose reply was lost is never logged': {
    find: { pattern: '$F($L, $U, $D, $M);', follows: { pattern: 'const $X = await $R($L, $P)' } },
    replace: '',
    killedBy: changeAccountTest,
  },
  'an entry whose reply was lost is logged twice': {
    find: { pattern: '$M.delete($P);', inside: anywhere({ pattern: 'for (const [$P, $A] of $M) { $$$B }' }) },
    replace: '',
    killedBy: changeAccountTest,
  },
  'an entry of another process is logged as its own': {
    find: '$A.find(($T) => $S && $F($T, $D))',
    replace: '$A[0]',
    killedBy: changeAccountTest,
  },
};

/** The life of one generation. */
const inGeneration: Mutants = {
  'a key with another resolution is a repeated call': {
    find: "$R !== '1K' && { resolution }",
    replace: '{}',
  },
  'a call takes over the hold of another call': {
    find: { pattern: 'if ($R.$F !== $A) return $O', precedes: { pattern: 'if ($R.cached) return $C' } },
    replace: '',
  },
  'settling is not fenced: it is written whatever the version': {
    find: '$D.commit([updateDocument($P, { $$$F, finishedAt: serverTime }, $V), $$$W])',
    replace:
      '$D.commit([updateDocument($P, { $$$F, finishedAt: serverTime }, (await $D.read([$P])).documents[0]?.version ?? $V), $$$W])',
  },
  'settling treats a rejected commit as its own success': {
    find: '$D.commit([updateDocument($P, { $$$F, finishedAt: serverTime }, $V), $$$W])',
    replace: '$D.commit([updateDocument($P, { $$$F, finishedAt: serverTime }, $V), $$$W]).catch(() => $V)',
  },
  'settling takes the time from the machine': {
    find: property('finishedAt: serverTime'),
    replace: 'finishedAt: new Date()',
  },
  'a refund is not fenced: it is written whatever the version': {
    find: '$M.get($P) ? [updateDocument($P, $D, $V)] : []',
    replace: '$M.get($P) ? [{ set: $P, data: { ...$M.get($P).data, ...$D } }] : []',
  },
  'a refund does not look at the status': {
    find: "$R.status === 'pending' && ($A || $B)",
    replace: '($A || $B)',
  },
  'a refund does not look at the deadline': {
    find: "$R.status === 'pending' && $F($R.deadline, $N)",
    replace: "$R.status === 'pending'",
  },
  'a deadline is compared with the clock of the machine': {
    find: "$R.status === 'pending' && $F($R.deadline, $N)",
    replace: "$R.status === 'pending' && $F($R.deadline, new Date())",
  },
  'a late generation that is read stays pending': {
    find: '$R && $C($R, $T) ? (await $E($L, $R)).$F : $R',
    replace: '$R',
  },
  'a late generation that is called again stays pending': {
    find: '$C ? { $$$A, $K: (await $E($L, $R)).$F } : $O',
    replace: '$O',
  },
  'finished generations count as in flight': {
    find: "$D?.data.status === 'pending'",
    replace: '$D !== null',
  },
  'a refused hold forgets the edit it found': {
    find: {
      pattern: 'if ($R) return $O',
      follows: { pattern: 'const $R = $F($A.$B, $P)' },
    },
    replace: 'if ($R) throw $R;',
  },
  'a repeated call is charged: the id does not depend on the key alone': {
    find: 'JSON.stringify([$U, $K])',
    replace: 'JSON.stringify([$U, $K, Math.random()])',
  },
  'users share their keys': {
    find: 'JSON.stringify([$U, $K])',
    replace: 'JSON.stringify([$K])',
  },
  'a key with another body gets the answer of the first': {
    find: '$R.fingerprint !== $F',
    replace: '$R.fingerprint === undefined',
  },
  'the fingerprint leaves out a part of the body': {
    find: object('prompt, tier, orientation, enhance, fresh, references: $R, $$$T'),
    replace: '{ prompt, tier, enhance, fresh, references: $R, $$$T }',
  },
  'a final failure has no receipt': {
    find: "$F.with({ receipt, retry: 'new_key' })",
    replace: "$F.with({ retry: 'new_key' })",
  },
  'a failed refund is answered as final': {
    find: "$F.with({ receipt, retry: 'same_key' })",
    replace: "$F.with({ receipt, retry: 'new_key' })",
  },
  'a refund forgets the outbox': {
    find: { pattern: '$M ? [$F($G($R, $N))] : []', inside: anywhere({ kind: 'spread_element' }) },
    replace: '[]',
  },
  'a generation that expires is treated as if it had no image': {
    find: object('uid, id, failure: $F, $K: true'),
    replace: '{ uid, id, failure: $F, $K: false }',
  },
  'a deletion forgets the outbox': {
    find: "$F({ $$$A, status: 'deleted' }, ...$W, ...$S)",
    replace: "$F({ $$$A, status: 'deleted' }, ...$S)",
  },
  'a pending generation may be deleted': {
    find: "if ($R.status === 'pending') { throw new Failure('IN_PROGRESS', $$$A) }",
    replace: '',
  },
  'an image is deleted once, though it may still arrive': {
    find: '$C > 0 ? $P : { delete: $D }',
    replace: '{ delete: $D }',
  },
  'an image that could not be deleted is forgotten': {
    find: {
      pattern: '$D.commit([$F($M)])',
      all: [
        { inside: anywhere({ kind: 'catch_clause' }) },
        { inside: anywhere({ kind: 'function_declaration', has: anywhere(object('delete: $P')) }) },
      ],
    },
    replace: '$D.commit([{ delete: $P }])',
  },
  'the sweep compares the outbox with the clock of the machine': {
    find: '$I.until.getTime() - $N.getTime()',
    replace: '$I.until.getTime() - Date.now()',
  },
  'the sweep of the outbox continues after a path, not an id': {
    find: '({ $D, $I }: $T) => [$D.dueAt, $I]',
    replace: '({ $D, path }: $T) => [$D.dueAt, path]',
    killedBy: 'test/shared/generation/sweep.test.ts',
  },
  'an upload begins after its deadline': {
    find: { pattern: 'const $M = $T()', precedes: { pattern: '$P.$K = true;' } },
    replace: 'const $M = (() => { try { return $T(); } catch { return 1_000; } })();',
  },
  'an upload is not tried again': {
    find: { pattern: 'if (!$F($E)) throw $E', inside: anywhere({ kind: 'catch_clause' }) },
    replace: 'throw $E;',
    killedBy: 'test/shared/generation/uploadRetry.test.ts',
  },
  'an upload that failed and arrives after its image was deleted stays': {
    find: '$P.$K += 1',
    replace: 'void $P',
  },
  'a store that refuses us is still asked': {
    find: "if ($R === 'PROVIDER_MISCONFIGURED') $S",
    replace: '',
    killedBy: 'test/shared/generation/storeRefusal.test.ts',
  },
  'a replay is checked against the configuration first': {
    find: property('availability: await $F($S, $R)'),
    replace: `availability: await $F($S, $R).then((availability) => {
      const refusal = availability.refusal(new Date());
      if (refusal) throw refusal;
      return availability;
    })`,
    killedBy: 'test/shared/generation/replayFirst.test.ts',
  },
  'the terms are checked before the replay': {
    find: {
      pattern: 'const $D = documents.get($P)',
      follows: { pattern: '$A.learn(documents);' },
    },
    replace: `const $D = documents.get($P);
      const terms = refuseTerms(documents.get(\`accounts/\${uid}\`)?.data as never, ledger.settings.termsVersion);
      if (terms) return { refusal: terms };`,
    killedBy: 'test/shared/generation/replayFirst.test.ts',
  },
  'terms are not checked for a generation': {
    find: '$S ?? refuseTerms($A, termsVersion)',
    replace: '$S',
    killedBy: termsTest,
  },
  'a large call is refused before its replay is looked for': {
    find: '$P.some(($X) => $D.get($X)) ? { answer: undefined } : undefined',
    replace: 'undefined',
    killedBy: admissionTest,
  },
  'a refused large call counts as a hold': {
    find: '{ answer: $F($A, { credits, now, limits }) }',
    replace:
      '{ change: { account: { ...$A, rate: [...$A.rate, now] }, entries: [] }, answer: () => $F($A, { credits, now, limits }) }',
    killedBy: admissionTest,
  },
  'refused large calls have no limit': {
    find: '$S.rateLimiter.take($L, $U);',
    replace: '',
    killedBy: admissionTest,
  },
  'a call is refused for credits although the cache may have its image': {
    find: '$S || cacheTtlSeconds > 0',
    replace: '$S',
    killedBy: admissionTest,
  },
  'a reference is called broken before its replay is looked for': {
    find: 'const $B = await refuseBrokenReferences($R)',
    replace: 'const $B = await refuseBrokenReferences($R); if ($B) throw $B;',
    killedBy: 'test/shared/generation/replayFirst.test.ts',
  },
  'a failed upload is treated as if it had stored nothing': {
    find: '$P.mayBeStored = true',
    replace: '$P.mayBeStored = false',
  },
  'a twin is not added to the list of its image': {
    find: 'const sharers = [...$G($S), $T]',
    replace: 'const sharers = $G($S);',
  },
  'a twin is created although its image may just be deleted': {
    find: '[createDocument($P, $D), $F($S, $I)]',
    replace: '[createDocument($P, $D)]',
  },
  'the first deletion of a twin deletes the shared image': {
    find: "const $O = $T ? undefined : { ...$D, status: 'deleted' as const }",
    replace: "const $O = { ...$D, status: 'deleted' as const };",
  },
  'the last deletion of a twin leaves the shared image': {
    find: '$O ? [$F($G($O, $N))] : []',
    replace: '[]',
  },
  'twins that are deleted at once touch no common document': {
    find: { pattern: '$W.push($F($U, $T, $M))', inside: { kind: 'expression_statement' } },
    replace: 'void $F',
  },
  'the list of sharers is believed, whatever an admin deleted': {
    find: 'const $T = $L ? await $F($D, $R, $M, $I) : undefined',
    replace: 'const $T = $M && $L ? $M : $L ? await $F($D, $R, $M, $I) : undefined;',
    killedBy: twinsTest,
  },
  'a hold that an admin deletes before its retry is not refunded': {
    find: 'if (erased) $$$R',
    replace: '',
    killedBy: 'test/shared/generation/races.test.ts',
  },
  'a source with a spoilt document holds up the deletion of its twins': {
    find: '$P($L, document ? [document] : [], parseGeneration)[0]',
    replace: 'document && parseGeneration(document)',
    killedBy: twinsTest,
  },
  'the sweep deletes an image that a twin shows': {
    find: 'if (!$I.shareToken && (await isShown($L, $I))) return $R;',
    replace: '',
    killedBy: twinsTest,
  },
  'a spoilt generation is refunded at the price that its document names': {
    find: 'const credits = -parseDocument($S, $D).amount',
    replace: 'const credits = Number(document.data.credits);',
    killedBy: spoiltTest,
  },
  'the image of a spoilt generation stays in the store': {
    find: 'image ? [createOutboxItem(image)] : []',
    replace: '[]',
    killedBy: spoiltTest,
  },
  'settling gives up like any other commit': {
    find: '$F<GenerationRecord>(undefined, $C, $U)',
    replace: '$F<GenerationRecord>(undefined, $C)',
    killedBy: 'test/shared/generation/silentDatabase.test.ts',
  },
  'a deletion keeps what the model said of the prompt': {
    find: property('failure: $F && $E($F)'),
    replace: 'failure: $F',
  },
  'the outbox comes before the holds': {
    find: 'const holdsTurn = $T',
    replace: 'await sweepOutbox(ledger, images, mayContinue);\n    const holdsTurn = $T;',
    killedBy: sweepTurnsTest,
  },
  'the outbox takes the time of the holds': {
    find: 'const outboxTurn = $F($C, $M, $W)',
    replace: 'const outboxTurn = $F($C, Number.POSITIVE_INFINITY, $W);',
    killedBy: sweepTurnsTest,
  },
  'a store that hangs is asked for every image': {
    find: { pattern: '$N >= $M', inside: anywhere({ kind: 'arrow_function' }), regex: '^failures' },
    replace: 'false',
    killedBy: sweepTurnsTest,
  },
  'the cache returns a deleted image': {
    find: "$S?.status !== 'succeeded' || $S.image === null",
    replace: '$S === undefined',
  },
  'the cache mixes up tiers and orientations': {
    find: object('$$$A, tier, orientation, enhance, references, $$$T'),
    replace: '{ $$$A, enhance, references, $$$T }',
  },
  'the cache answers although a fresh image was requested': {
    find: '$K && !$R.fresh',
    replace: '$K',
  },
  'an image from the cache is charged': {
    find: '$F($P, $A, $B, { credits: 0, $$$T })',
    replace: '$F($P, $A, $B, { credits: 1, $$$T })',
  },
};

const inDatabase: Mutants = {
  'a spoilt document takes its list with it': {
    find: 'if (!($E instanceof UnreadableDocument)) throw $E',
    replace: 'throw $E;',
    killedBy: 'test/shared/generation/spoiltGenerations.test.ts',
  },
  'a rejected commit is an error and not retried': {
    find: {
      pattern: 'if (!$F($E)) throw $E',
      inside: anywhere({
        kind: 'function_declaration',
        has: anywhere({ pattern: "'DATABASE_UNAVAILABLE'" }),
      }),
    },
    replace:
      "if ($E instanceof CommitRejected) throw new Failure('DATABASE_UNAVAILABLE', 'It was rejected.'); if (!$F($E)) throw $E;",
  },
  'the queue of an account is never forgotten': {
    find: 'if ($M.get($K) === $T) $M.delete($K)',
    replace: '',
    killedBy: retryCommitTest,
  },
  'a call may take as long as all its retries': {
    find: object('callMs: $A, connectMs: $B'),
    replace: '{ callMs: 10_000, connectMs: 10_000 }',
    killedBy: deadConnectionTest,
  },
  'a connection that has died is used again': {
    find: {
      pattern: 'if ($A || $F($E) === $D) $G($C)',
      inside: anywhere({ kind: 'catch_clause' }),
    },
    replace: '',
    killedBy: deadConnectionTest,
  },
  'a body that waited in line is tried once': {
    find: '$F > 0 && $F < $M',
    replace: 'false',
    killedBy: retryCommitTest,
  },
  'the time in line is not counted': {
    find: {
      pattern: 'const $T = $P.then(() => $R($B, $G, $C))',
      follows: { pattern: 'const $G = $E', stopBy: 'end' },
    },
    replace: 'const $T = $P.then(() => $R($B, $E, $C));',
    killedBy: retryCommitTest,
  },
  'a job continues after documents that it did not handle': {
    find: {
      pattern: 'async ($D) => { await $H($D).catch($E) }',
      inside: anywhere({ pattern: 'while ($W()) { $$$B }' }),
    },
    replace: 'async ($D) => { if ($W()) await $H($D).catch($E); }',
    killedBy: 'test/shared/database/forEachDocument.test.ts',
  },
};

const inHttp: Mutants = {
  'a request that arrived too late is not sent again': {
    find: { pattern: "{ retry: 'same_key' }", inside: anywhere({ pattern: 'const refusals: $T = $O' }) },
    replace: "{ retry: 'no' }",
    killedBy: connectionsTest,
  },
  'a process that stood still refuses the requests that waited': {
    find: 'const $M = Math.max(0, $S - $T)',
    replace: 'const $M = 0 * ($S - $T);',
    killedBy: connectionsTest,
  },
  'a large body is read before its account is known': {
    find: 'if ($L > $M) await $A?.()',
    replace: '',
    killedBy: 'test/shared/http/largeBody.test.ts',
  },
};

const inEnhance: Mutants = {
  'terms are not checked for an improved prompt': {
    find: '$S ?? refuseTerms($A, $V)',
    replace: '$S',
    killedBy: termsTest,
  },
};

const inTerms: Mutants = {
  'accepting the terms again records a later time': {
    find: '$A.terms?.version === $V',
    replace: 'false',
    killedBy: termsTest,
  },
  'a list of the export ends with its first page': {
    find: 'after = $C ? undefined : $I',
    replace: 'after = undefined',
    killedBy: 'test/shared/people/exportAccount.test.ts',
  },
};

export const mutants: readonly Mutant[] = Object.entries({
  'shared/ledger': { ...inLedger, ...inIdentities, ...inClosedAccounts },
  'shared/generation': { ...inGeneration, ...inShares, ...inEdits, ...inSearches },
  'shared/sharing': inSharing,
  'shared/ledger/purchases.ts': inPurchases,
  'shared/ledger/credits.ts': inDebts,
  'shared/payments': inPayments,
  functions: inPaymentFunctions,
  'shared/database': { ...inDatabase, ...inPages },
  'shared/imagegen': inImagegen,
  'shared/images': inImages,
  'shared/http': inHttp,
  'shared/prompts': inPrompts,
  'functions/enhance.ts': inEnhance,
  'shared/people': { ...inTerms, ...inClosing },
}).flatMap(([place, all]) => Object.entries(all).map(([name, mutant]) => ({ name, place, ...mutant })));
