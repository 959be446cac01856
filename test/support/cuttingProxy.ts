/** A proxy in front of the functions that breaks connections: before the request, or in the middle of the reply. */
import { createServer } from 'node:http';
import { listen } from './listen.ts';

export async function startCuttingProxy(target: string) {
  const cuts: ('before' | 'midAnswer' | undefined)[] = [];
  const server = createServer(async (request, response) => {
    const cut = cuts.shift();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (cut === 'before') return void response.destroy();
    const { authorization = '', 'content-type': type = '', 'idempotency-key': key } = request.headers;
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type, ...(key && { 'idempotency-key': String(key) }) },
      body: chunks.length > 0 ? Buffer.concat(chunks) : null,
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
      'content-length': body.length,
      ...(answer.headers.has('idempotent-replayed') && { 'idempotent-replayed': 'true' }),
    });
    if (cut === undefined) return void response.end(body);
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  });
  const host = await listen(server);
  return {
    url: `http://${host}`,
    /** How to break the next requests, one each. Undefined lets one pass. */
    cut: (...next: typeof cuts) => void cuts.push(...next),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
