/**
 * What of the vendors' packages the bundle does without, or not at once: each start of a process would read,
 * compile and run it first. In milliseconds stands the processor time that a start gained, the least of 15 on two
 * busy cores; what brought less than three is not worth a rule.
 */

/**
 * A file of a package, wherever npm has put that, and what stands in its place:
 * - `leftOut`: nothing; whoever uses anything of it gets an error that names it.
 * - `instead`: this code.
 * - `describes`: of its descriptions of protocol buffers those of these services, and of what they speak of.
 * - `later`: the file itself, when something of it is used for the first time. For files that give an object of
 *   functions, not for one that is itself a function or a class.
 */
export type Rule = { file: string; why: string } & (
  | { stub: true }
  | { replacement: string }
  | { services: readonly string[] }
  | { lazy: true }
);

const otherApis =
  'Code for the messages of APIs that we do not call; clients make their own from the descriptions.';

export const rules: readonly Rule[] = [
  // Firestore: 65 ms for the code of messages, then 33 and 20 ms for the two that describe.
  {
    file: '@google-cloud/firestore/build/src/index.js',
    why: 'shared/database/firestore.ts uses the client that Google generates, and nothing of the library around it.',
    replacement: `exports.v1 = { FirestoreClient: require('@google-cloud/firestore-api/client_v1').FirestoreClient };`,
  },
  { file: 'google-gax/build/protos/iam_service.js', why: otherApis, stub: true },
  { file: 'google-gax/build/protos/operations.js', why: otherApis, stub: true },
  { file: 'google-gax/build/protos/locations.js', why: otherApis, stub: true },
  {
    file: '@google-cloud/firestore-api/build/protos/protos.json',
    why: 'Half of it is the API for administrators. A message that is not described cannot be sent at all.',
    services: ['google.firestore.v1.Firestore'],
  },
  {
    file: 'google-gax/build/protos/locations.json',
    why: 'Each client makes one for locations, for which it describes all of HTTP and of protocol buffers too.',
    services: ['google.cloud.location.Locations'],
  },

  // Gemini: 22 and 5 ms.
  {
    file: 'google-auth-library/build/src/index.js',
    why: 'Vertex AI and Firestore sign in with it; Gemini with a key does not.',
    lazy: true,
  },
  {
    file: 'ws/wrapper.mjs',
    why: 'The Live API speaks over web sockets; we do not call it.',
    replacement: `export function WebSocket() {
      throw new Error('ws/wrapper.mjs: WebSocket is used, but tools/build/rules.ts left it out');
    }`,
  },

  // Cloudinary: 13 ms.
  {
    file: 'lodash/lodash.js',
    why: 'The whole of it is there to write HTML. Uploads ask for single functions of it, each in a file of its own.',
    lazy: true,
  },

  // The functions-framework: 14 and 5 ms.
  {
    file: 'mime-types/index.js',
    why: 'It sorts a table of all types of files. Our answers name their own.',
    lazy: true,
  },
  {
    file: 'qs/lib/index.js',
    why: 'For forms, which the parser never sees: bodies are kept from it.',
    lazy: true,
  },
];
