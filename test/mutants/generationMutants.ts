/** Mistakes in the life of one generation. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the patterns are code.
import { anywhere, type Mutants, object, property } from './rules.ts';

const termsTest = 'test/shared/people/terms.test.ts';
const sweepTurnsTest = 'test/shared/generation/sweepTurns.test.ts';
const admissionTest = 'test/shared/generation/admission.test.ts';
const twinsTest = 'test/shared/generation/twins.test.ts';
const spoiltTest = 'test/shared/generation/spoiltGenerations.test.ts';
const spoiltDeletionTest = 'test/shared/generation/spoiltDeletion.test.ts';

export const inGeneration: Mutants = {
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
    killedBy: 'test/shared/generation/races.test.ts',
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
    find: 'const sharers = [...($L ?? []), $T]',
    replace: 'const sharers = $L ?? [];',
  },
  'a twin is created although its image may just be deleted': {
    find: '[createDocument($P, $D), $F($S, $I)]',
    replace: '[createDocument($P, $D)]',
  },
  'the first deletion of a twin deletes the shared image': {
    find: "const $O = $T ? undefined : { ...$D, status: 'deleted' as const }",
    replace: "const $O = { ...$D, status: 'deleted' as const };",
  },
  'an empty list of sharers is believed': {
    find: 'isMaker && $S?.length === 0 && $L?.includes($I)',
    replace: '(isMaker && $S?.length === 0)',
    killedBy: twinsTest,
  },
  'a list that began again after an edit is believed': {
    find: 'isMaker && $S?.length === 0 && $L?.includes($I)',
    replace: '($S?.length === 0)',
    killedBy: twinsTest,
  },
  'a list that was missing begins with its generation': {
    find: 'const sharers = [...($L ?? []), $T]',
    replace: 'const sharers = [...($L ?? [source.id]), $T];',
    killedBy: twinsTest,
  },
  'a twin that the query does not find loses its image': {
    find: '$T ?? (await findListed($$$A))[0]',
    replace: '$T',
    killedBy: spoiltDeletionTest,
  },
  'a twin in the list keeps an image that it does not show': {
    find: "status === 'succeeded' && $M === makerId",
    replace: "status === 'succeeded'",
    killedBy: twinsTest,
  },
  'a refund pays the price in the document of a generation that the caller does not hold any more': {
    find: 'if (held) return held.credits;',
    replace: 'if (held?.attemptId === record.attemptId) return held.credits;',
    killedBy: 'test/shared/generation/editedPrice.test.ts',
  },
  'a hold with a lost reply takes the price from the document': {
    find: "($O === 'held' && attempts[0]) || $F",
    replace: '$F',
    killedBy: 'test/shared/generation/editedPrice.test.ts',
  },
  'a deletion guesses that a spoilt generation is not pending': {
    find: 'if (mayHoldEndlessly($D)) throw $F;',
    replace: '',
    killedBy: spoiltDeletionTest,
  },
  'a spoilt document is deleted although it does not name its image': {
    find: "if ($O?.publicId === '') throw $F;",
    replace: '',
    killedBy: spoiltDeletionTest,
  },
  'the last deletion of a twin leaves the shared image': {
    find: '$O ? [$F($G($O, $N))] : []',
    replace: '[]',
  },
  'twins that are deleted at once touch no common document': {
    find: { pattern: '$W.push(expectTwin($U, $T, $M))', inside: { kind: 'expression_statement' } },
    replace: 'void expectTwin',
  },
  'the list of sharers is believed, whatever an admin deleted': {
    find: 'const twin = $L ? undefined : await $F($D, $R, $O, $I, $S)',
    replace: 'const twin = $L ? undefined : $S?.length ? maker : await $F($D, $R, $O, $I, $S);',
    killedBy: twinsTest,
  },
  'a hold that an admin deletes before its retry is not refunded': {
    find: 'if (erased) $$$R',
    replace: '',
    killedBy: 'test/shared/generation/races.test.ts',
  },
  'a source with a spoilt document holds up the deletion of its twins': {
    find: 'const maker = isMaker ? record : parseOrRecover($L, $O)',
    replace: 'const maker = isMaker ? record : $O && parseGeneration($O);',
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
