/** The variables that only `npm start` and the tests read, for .env.example and docs/setup/environment.md. */

const describe = (fallback: string, description: string) => ({
  meta: () => ({ default: fallback, description }),
});

export const localVariables = {
  LOCAL_DATA_DIR: describe(
    'unset: every run starts empty',
    'folder that keeps users, documents, images and purchases between runs',
  ),
  NO_DOWNLOADS: describe(
    'unset',
    'if set, a missing Java or Firestore emulator is not downloaded; the start prints the commands that install it',
  ),
  ADOPTIUM_API_URL: describe(
    '`https://api.adoptium.net`',
    'service that says where Java is and states its checksum',
  ),
  FIREBASE_EMULATORS_PATH: describe(
    'unset: `.cache/firebase/emulators` in the home folder',
    'folder in which the Firebase CLI keeps its emulators',
  ),
};
