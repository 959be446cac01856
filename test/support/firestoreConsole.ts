/** What an admin does in the Firestore console: writes through the emulator's REST interface, past all rules. */

type Fields = Record<string, unknown>;

/** Access to the documents of one project. `host` is the emulator's host and port. */
export function createFirestoreConsole(host: string, projectId: string) {
  const documents = `projects/${projectId}/databases/(default)/documents`;

  async function patch(path: string, fields: Fields, query: string) {
    const response = await fetch(`http://${host}/v1/${documents}/${path}${query}`, {
      method: 'PATCH',
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      body: JSON.stringify({ fields: toRestFields(fields) }),
    });
    if (!response.ok) throw new Error(`The emulator refused a write: ${await response.text()}`);
  }

  return {
    /** Replaces a whole document. */
    setDocument: (path: string, fields: Fields) => patch(path, fields, ''),

    /** Sets fields of a document. A field that is undefined is removed. */
    setFields: (path: string, fields: Fields) =>
      patch(
        path,
        fields,
        `?${Object.keys(fields)
          .map((field) => `updateMask.fieldPaths=${field}`)
          .join('&')}`,
      ),

    /** Deletes every document of the project. */
    async clear() {
      await fetch(`http://${host}/emulator/v1/${documents}`, { method: 'DELETE' });
    },
  };
}

const toRestFields = (fields: Fields) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, toRestValue(value)]),
  );

function toRestValue(value: unknown): object {
  if (typeof value === 'number')
    return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  return { nullValue: null };
}
