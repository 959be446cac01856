/**
 * The identities of a person: what a verified sign-in proves, as keyed hashes. They tell that two accounts belong to one
 * person without storing an address. Pure.
 */
import { createHmac } from 'node:crypto';
import { domainToASCII } from 'node:url';

/**
 * One identity: its hash under each configured key. The first hash names its document; the others find a document that an
 * older key has named.
 */
export type Identity = readonly [current: string, ...older: string[]];

/** What a verified sign-in proves about a person. */
export type Proofs = {
  /** A verified e-mail address. */
  email?: string | undefined;
  /** A verified phone number, as E.164. */
  phone?: string | undefined;
  /** The subject at each provider, such as `google.com`. */
  subjects?: readonly { provider: string; subject: string }[];
};

/**
 * Hashes every identity of a sign-in: HMAC-SHA-256, 128 bits in hexadecimal.
 * @param keys the first names documents; the others have done so before.
 */
export function hashIdentities({ email, phone, subjects = [] }: Proofs, keys: readonly string[]): Identity[] {
  const names = [
    ...(email ? [`email:${normalizeEmail(email)}`] : []),
    ...(phone ? [`phone:${phone}`] : []),
    ...subjects.map(({ provider, subject }) => `${provider}:${subject}`),
  ];
  return names.map((name) => keys.map((key) => hash(name, key)) as [string, ...string[]]);
}

const hash = (name: string, key: string) => createHmac('sha256', key).update(name).digest('hex').slice(0, 32);

/**
 * One spelling for the addresses of one mailbox: lower case, without a `+tag`. Gmail ignores dots and has a second domain
 * (support.google.com/mail/answer/7436150 and /10313).
 */
export function normalizeEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const written = email.slice(at + 1).replace(/\.$/, '');
  const domain = domainToASCII(written) || written.toLowerCase();
  const name = email
    .slice(0, at)
    .normalize('NFC')
    .toLowerCase()
    .replace(/(?<=.)\+.*$/s, '');
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return `${name}@${domain}`;
  return `${name.replaceAll('.', '')}@gmail.com`;
}
