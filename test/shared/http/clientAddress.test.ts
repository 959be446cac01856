/** The address that limits count: a caller cannot choose it. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { getClientAddress } from '../../../shared/http/clientAddress.ts';

const request = (forwarded?: string, remoteAddress?: string) =>
  ({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress },
  }) as IncomingMessage;

describe('on Cloud Run', () => {
  it.each<[string, string | undefined, string]>([
    ['the address that the front end appends', '198.51.100.7', '198.51.100.7'],
    ['not what the caller made up before it', '203.0.113.9, 10.0.0.1,198.51.100.7', '198.51.100.7'],
    ['without the header the connection', undefined, '192.0.2.1'],
    ['the network of an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['the same network, written shorter', '2001:db8:1:2::9', '2001:db8:1:2'],
    ['an address with zeros left out', '2001:db8::1', '2001:db8:0:0'],
    ['an address that begins with zeros', '::1', '0:0:0:0'],
    ['an IPv4 address written as IPv6', '::ffff:198.51.100.7', '::ffff:198.51.100.7'],
  ])('%s', (_, forwarded, expected) => {
    expect(getClientAddress(request(forwarded, '192.0.2.1'), true)).toBe(expected);
  });
});

it('elsewhere it is the connection, whatever the header says', () => {
  expect(getClientAddress(request('203.0.113.9', '192.0.2.1'), false)).toBe('192.0.2.1');
  expect(getClientAddress(request(undefined, undefined), false)).toBe('');
});
