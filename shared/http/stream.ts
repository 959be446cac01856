/** Sends an answer while it is made. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** How long a client may take nothing before the answer breaks off, milliseconds. */
const stalledMsDefault = 30_000;

/**
 * Sends each chunk as soon as the client has taken those before it, so that few of them are in memory. The status is
 * sent with the first chunk: if there is an error before it, nothing was sent. After an error, or at a shutdown, the
 * connection breaks off, so that the client sees that the answer is incomplete.
 * @returns fields for the log: whether the client left, or stopped to read, before the end.
 * @throws the error of the chunks, or the reason of the shutdown.
 */
export async function sendChunks(
  response: ServerResponse,
  chunks: AsyncGenerator<string, void, void>,
  headers: Record<string, string>,
  shutdown: AbortSignal,
  stalledMs = stalledMsDefault,
): Promise<{ clientLeft?: true }> {
  const left = new AbortController();
  const onClose = () => left.abort();
  response.on('close', onClose);
  try {
    for await (const chunk of chunks) {
      shutdown.throwIfAborted();
      if (left.signal.aborted) return { clientLeft: true };
      if (!response.headersSent) response.writeHead(200, headers);
      // An answer to HEAD has no body.
      if (response.req.method === 'HEAD') break;
      if (response.write(chunk)) continue;
      const signal = AbortSignal.any([left.signal, shutdown, AbortSignal.timeout(stalledMs)]);
      await once(response, 'drain', { signal }).catch(() => {});
      shutdown.throwIfAborted();
      if (!signal.aborted) continue;
      response.destroy();
      return { clientLeft: true };
    }
    response.end();
    return {};
  } catch (error) {
    if (response.headersSent) response.destroy();
    throw error;
  } finally {
    response.off('close', onClose);
  }
}
