/** Which addresses and sign-ins are one identity. */
import { describe, expect, it } from 'vitest';
import { hashIdentities, normalizeEmail } from '../../shared/identity.ts';

const keys = ['k'.repeat(32)];

describe('one spelling for one mailbox', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['ada+1@example.com', 'ada@example.com'],
    ['ada+a+b@example.com', 'ada@example.com'],
    ['+ada@example.com', '+ada@example.com'],
    ['a.d.a@example.com', 'a.d.a@example.com'],
    ['a.d.a@gmail.com', 'ada@gmail.com'],
    ['A.d.a+shop@googlemail.com', 'ada@gmail.com'],
    ['ada@Bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ada@example.com.', 'ada@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['e\u0301va@example.com', '\u00e9va@example.com'],
  ])('%s is %s', (email, expected) => {
    expect(normalizeEmail(email)).toBe(expected);
  });
});

describe('hashes', () => {
  it('are of no use without the key, and name a document', () => {
    const [[hash]] = hashIdentities({ email: 'ada@example.com' }, keys) as [[string]];
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(hashIdentities({ email: 'ada@example.com' }, ['j'.repeat(32)])).not.toEqual([[hash]]);
    expect(hashIdentities({ email: 'A.D.A+1@gmail.com' }, keys)).toEqual(
      hashIdentities({ email: 'ada@googlemail.com' }, keys),
    );
  });

  it('differ by what the identity is', () => {
    const all = [
      ...hashIdentities({ email: 'a@b' }, keys),
      ...hashIdentities({ phone: 'a@b' }, keys),
      ...hashIdentities({ subjects: [{ provider: 'google.com', subject: 'a@b' }] }, keys),
      ...hashIdentities({ subjects: [{ provider: 'github.com', subject: 'a@b' }] }, keys),
    ];
    expect(new Set(all.flat()).size).toBe(4);
  });

  it('are made with every key, the first one first', () => {
    const proofs = { email: 'ada@example.com', phone: '+491701234567' };
    const [other = ''] = ['o'.repeat(32)];
    const [one, two] = [hashIdentities(proofs, keys), hashIdentities(proofs, [other])];
    const both = hashIdentities(proofs, [...keys, other]);
    expect(both).toEqual(one.map(([hash], i) => [hash, two[i]?.[0]]));
  });

  it('of nothing are none', () => {
    expect(hashIdentities({}, keys)).toEqual([]);
    expect(hashIdentities({ email: undefined, phone: undefined, subjects: [] }, keys)).toEqual([]);
  });
});
