/** Has the Firestore emulator report document writes to the functions, as Eventarc does in production. */
import type { EmulatorEndpoints } from './demo.ts';

/** The functions that receive document writes, each with the pattern of its documents. */
const documentTriggers = [{ name: 'accountWritten', document: 'accounts/{uid}' }];

/**
 * Registers the triggers. The emulator then posts each write to
 * `/functions/projects/{projectId}/triggers/{name}` on the functions' port.
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
      if (!response.ok)
        throw new Error(`The Firestore emulator refused the trigger ${name}: ${response.status}`);
    }),
  );
}

const triggerPath = /^\/functions\/projects\/[^/]+\/triggers\/(\w+)/;

/** Maps the path of an emulator's event to the path of its function. Other paths stay unchanged. */
export function toFunctionPath(path: string): string {
  const name = triggerPath.exec(path)?.[1];
  return name ? `/${name}` : path;
}
