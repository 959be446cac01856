/** A live listener on the user's account document. Imported lazily, because Firestore's client is large. */
import { getApp } from '@firebase/app';
import { connectFirestoreEmulator, doc, getFirestore, onSnapshot } from '@firebase/firestore';
import type { FirebaseConfig } from './session.ts';

/**
 * Calls `onChange` with the account's fields now and after each change, until the returned function is called.
 * @param onEnd called if Firestore refuses or ends the listener; its client retries all other failures
 */
export function listenToAccount(
  { emulators }: FirebaseConfig,
  uid: string,
  onChange: (fields: Record<string, unknown>) => void,
  onEnd: () => void,
): () => void {
  const firestore = getFirestore(getApp());
  const emulator = emulators?.firestore;
  if (emulator && !isConnected) {
    connectFirestoreEmulator(firestore, emulator.host, emulator.port);
    isConnected = true;
  }
  return onSnapshot(
    doc(firestore, 'accounts', uid),
    (snapshot) => {
      const fields = snapshot.data();
      // Firestore's local cache is older than what the functions have answered.
      if (fields && !snapshot.metadata.fromCache) onChange(fields);
    },
    onEnd,
  );
}

/** Firestore allows `connectFirestoreEmulator` only before the first call. */
let isConnected = false;
