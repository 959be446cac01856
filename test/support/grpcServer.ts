/** A server that speaks gRPC as far as to end every call with a status, after one message or none. */
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Options = {
  /** The google.rpc code; OK by default. */
  status?: number;
  /** The bytes of the message for a method, such as `Commit`. */
  message?: (method: string) => Buffer;
  details?: Buffer;
};

export async function startGrpcServer({ status = 0, message, details }: Options) {
  let calls = 0;
  let delayMs = 0;
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', async (stream, headers) => {
    calls += 1;
    stream.on('error', () => {});
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    await sleep(delayMs);
    if (stream.destroyed) return;
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    const end = {
      'grpc-status': String(status),
      'grpc-message': 'no',
      ...(details && { 'grpc-status-details-bin': details.toString('base64') }),
    };
    if (!message) return stream.respond({ ...head, ...end }, { endStream: true });
    const bytes = message(method);
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(end));
    // Uncompressed, and so long.
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    /** Every later call is answered after this many milliseconds. */
    delay(milliseconds: number) {
      delayMs = milliseconds;
    },
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
