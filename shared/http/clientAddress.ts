/** The network address of a caller, for limits on calls without a sign-in. */
import type { IncomingMessage } from 'node:http';

/** The groups of an IPv6 address that name its network. One caller has all the addresses in it. */
const networkGroups = 4;

/**
 * On Cloud Run the address is the last one in X-Forwarded-For, which Google's front end appends. A caller can make up the
 * ones before it. Of an IPv6 address only the network counts.
 */
export function getClientAddress({ headers, socket }: IncomingMessage, deployed: boolean): string {
  const forwarded = deployed ? String(headers['x-forwarded-for'] ?? '') : '';
  const address = forwarded.split(',').at(-1)?.trim() || (socket.remoteAddress ?? '');
  return address.includes(':') && !address.includes('.') ? toNetwork(address) : address;
}

function toNetwork(address: string): string {
  const [before = [], after] = address.split('::').map((groups) => (groups === '' ? [] : groups.split(':')));
  const zeros = after ? new Array(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  return [...before, ...zeros, ...(after ?? [])].slice(0, networkGroups).join(':');
}
