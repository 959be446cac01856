/** The ids of users, generations, requests and shares. */
import * as z from 'zod';
import { countOf, describe } from './describe.ts';

/** The longest `Idempotency-Key`, in printable ASCII characters. */
export const idempotencyKeyCharactersMax = 255;

export const idempotencyKeySchema = describe(
  'Identifies the request, so that it is carried out once however often it is sent. Printable ASCII; a random UUID is a good key.',
  z
    .string({ error: 'is required' })
    .min(1, { error: 'must not be empty', abort: true })
    .max(
      idempotencyKeyCharactersMax,
      `must have at most ${countOf(idempotencyKeyCharactersMax, 'character')}`,
    )
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII'),
);

/** 128 bits of a hash of user and key, in hexadecimal. */
export const generationIdSchema = describe(
  "The generation's id: a hash of user and Idempotency-Key.",
  z
    .string({ error: 'must be the id of a generation' })
    .regex(/^[0-9a-f]{32}$/, 'is not the id of a generation'),
);

/** 128 random bits in base64url. */
export const shareTokenSchema = describe(
  'The last part of the address of a shared image.',
  z
    .string({ error: 'must be the token of a shared image' })
    .regex(/^[\w-]{22}$/, 'is not the token of a shared image'),
);

/** A user's id as Firebase Authentication makes it, and as Firestore accepts it for a document's id. */
export const uidSchema = describe(
  "The user's id.",
  z
    .string({ error: 'must be a uid' })
    .min(1, { error: 'must not be empty', abort: true })
    .max(128, 'must have at most 128 characters')
    .regex(/^(?!\.{1,2}$)(?!__.*__$)[^/\p{Cc}\p{Cs}]+$/u, 'is not a uid'),
);
