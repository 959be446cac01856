/** What the Firestore emulator reports to the functions, as Eventarc does in production. */
import type { EmulatorEndpoints } from './demo.ts';

/** The functions that are called when a document is written, and by which documents. */
const documentTriggers = [{ name: 'accountWritten', document: 'accounts/{uid}' }];

/**
 * Has the emulator post each such write to the functions' port, as
 * `/functions/projects/{projectId}/triggers/{name}`.
 */
export async function registerTriggers({
  firestoreHost,
  projectId,
  databaseId,
}: EmulatorEndpoints): Promise<void> {
  await Promise.all(
    documentTriggers.map(async ({ name, document }) => {
      const url = `http://${firestoreHost}/emulator/v1/projects/${projectId}/eventarcTrigger?eventarcTriggerId=${name}`;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          eventType: 'google.cloud.firestore.document.v1.written',
          database: databaseId,
          namespace: '(default)',
          document: { value: document, matchType: 'PATH_PATTERN' },
        }),
      });
      if (!response.ok) throw new Error(`The Firestore emulator did not take ${name}: ${response.status}`);
    }),
  );
}

const triggerPath = /^\/functions\/projects\/[^/]+\/triggers\/(\w+)/;

/** The path of a function for the path that the emulator posts its events to; any other path as it is. */
export function toFunctionPath(path: string): string {
  const name = triggerPath.exec(path)?.[1];
  return name ? `/${name}` : path;
}
