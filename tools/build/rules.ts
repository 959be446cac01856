/**
 * The parts of vendors' packages that the bundle leaves out or loads later, because each start of a process would read,
 * compile and run them first. The comments give the processor time that a start saves, in milliseconds: the minimum of
 * 15 starts on two busy cores. A part that saves less than 3 ms does not get a rule.
 */

/**
 * A file of a package, wherever npm has installed it, and its replacement:
 * - `stub`: a module that throws an error with the file's name when it is used.
 * - `replacement`: this code.
 * - `services`: only the protocol buffer descriptions of these services and the types they use.
 * - `lazy`: the file itself, loaded at its first use. For files that export an object of functions, not a function or
 *   a class.
 */
export type Rule = { file: string; why: string } & (
  | { stub: true }
  | { replacement: string }
  | { services: readonly string[] }
  | { lazy: true }
);

const otherApis =
  'Code for the messages of APIs that we do not call. Clients generate their own code from the descriptions.';

export const rules: readonly Rule[] = [
  // Firestore: 65 ms for the code of messages, 33 and 20 ms for the two descriptions.
  {
    file: '@google-cloud/firestore/build/src/index.js',
    why: 'shared/database/firestore.ts uses only the client that Google generates, not the library around it.',
    replacement: `exports.v1 = { FirestoreClient: require('@google-cloud/firestore-api/client_v1').FirestoreClient };`,
  },
  { file: 'google-gax/build/protos/iam_service.js', why: otherApis, stub: true },
  { file: 'google-gax/build/protos/operations.js', why: otherApis, stub: true },
  { file: 'google-gax/build/protos/locations.js', why: otherApis, stub: true },
  {
    file: '@google-cloud/firestore-api/build/protos/protos.json',
    why: 'Half of it is the API for administrators. Messages without a description cannot be sent.',
    services: ['google.firestore.v1.Firestore'],
  },
  {
    file: 'google-gax/build/protos/locations.json',
    why: 'Each client creates a client for locations, which describes all of HTTP and of protocol buffers too.',
    services: ['google.cloud.location.Locations'],
  },

  // Gemini: 22 and 5 ms.
  {
    file: 'google-auth-library/build/src/index.js',
    why: 'Vertex AI and Firestore sign in with it. Gemini with a key does not need it.',
    lazy: true,
  },
  {
    file: 'ws/wrapper.mjs',
    why: 'Only the Live API uses web sockets, and we do not call it.',
    replacement: `export function WebSocket() {
      throw new Error('ws/wrapper.mjs: WebSocket is used, but tools/build/rules.ts left it out');
    }`,
  },

  // Cloudinary: 13 ms.
  {
    file: 'lodash/lodash.js',
    why: 'The whole library is used only to write HTML. Uploads use single functions, each in its own file.',
    lazy: true,
  },

  // The functions-framework: 14 and 5 ms.
  {
    file: 'mime-types/index.js',
    why: 'It sorts a table of all file types. Our answers set their own types.',
    lazy: true,
  },
  {
    file: 'qs/lib/index.js',
    why: 'It parses forms, but the framework never parses our request bodies.',
    lazy: true,
  },
];
