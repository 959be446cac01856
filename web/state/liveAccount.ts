/** The caller's account document as it changes. Loaded when it is needed: Firestore's client is large. */
import { getApp } from '@firebase/app';
import { connectFirestoreEmulator, doc, getFirestore, onSnapshot } from '@firebase/firestore';
import type { FirebaseConfig } from './session.ts';

/**
 * Calls back with the account's fields at once and after each change, until the returned function is called.
 * @param onEnd the listener was refused or broke for good; the client retries all else by itself.
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
      // What this browser remembers is older than what the functions have said.
      if (fields && !snapshot.metadata.fromCache) onChange(fields);
    },
    onEnd,
  );
}

/** An emulator can be named only before the first call. */
let isConnected = false;
