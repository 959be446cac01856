/** Who is signed in, by Firebase Authentication. */
import { initializeApp } from '@firebase/app';
import {
  type Auth,
  browserLocalPersistence,
  browserPopupRedirectResolver,
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  GoogleAuthProvider,
  indexedDBLocalPersistence,
  initializeAuth,
  onIdTokenChanged,
  sendEmailVerification,
  sendPasswordResetEmail,
  signInWithEmailAndPassword,
  signInWithPopup,
  signOut,
} from '@firebase/auth';
import { signal } from '@preact/signals';

type HostAndPort = { host: string; port: number };

/** What `/__/firebase/init.json` says, here and on Firebase Hosting, as far as it is used. */
export type FirebaseConfig = {
  apiKey: string;
  authDomain: string;
  projectId: string;
  appId: string;
  emulators?: { auth?: HostAndPort; firestore?: HostAndPort };
};

/** @property needsVerification an e-mail address with a password that nobody has confirmed yet. */
export type User = { uid: string; email: string; needsVerification: boolean };

/** Undefined until it is known, null when nobody is signed in. */
export const user = signal<User | null | undefined>(undefined);

/** Set by `startSession`, before anything else here is called. */
let auth: Auth;

/** Reads the project's configuration and begins to follow who is signed in. @throws where it cannot be read. */
export async function startSession(): Promise<FirebaseConfig> {
  const response = await fetch('/__/firebase/init.json');
  if (!response.ok) throw new Error(`The studio's configuration could not be read (${response.status}).`);
  const config = (await response.json()) as FirebaseConfig;
  auth = initializeAuth(initializeApp(config), {
    persistence: [indexedDBLocalPersistence, browserLocalPersistence],
  });
  const emulator = config.emulators?.auth;
  if (emulator) {
    connectAuthEmulator(auth, `http://${emulator.host}:${emulator.port}`, { disableWarnings: true });
  }
  onIdTokenChanged(auth, readUser);
  return config;
}

function readUser(): void {
  const { currentUser } = auth;
  if (!currentUser) {
    user.value = null;
    return;
  }
  const { uid, email, emailVerified, providerData } = currentUser;
  const hasPassword = providerData.some(({ providerId }) => providerId === 'password');
  const needsVerification = hasPassword && !emailVerified;
  const known = user.peek();
  if (known?.uid === uid && known.needsVerification === needsVerification) return;
  user.value = { uid, email: email ?? 'Signed in', needsVerification };
}

/** A token of the signed-in user. @param anew has one made even where there is one. @throws when there is nobody. */
export async function idToken(anew = false): Promise<string> {
  if (!auth.currentUser) throw new Error('Nobody is signed in.');
  return auth.currentUser.getIdToken(anew);
}

export async function signInWithGoogle(): Promise<void> {
  await signInWithPopup(auth, new GoogleAuthProvider(), browserPopupRedirectResolver);
}

export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

/** Creates the user and sends the mail by which the address is confirmed. */
export async function createUser(email: string, password: string): Promise<void> {
  await createUserWithEmailAndPassword(auth, email, password);
  await sendVerification();
}

export async function sendVerification(): Promise<void> {
  if (auth.currentUser) await sendEmailVerification(auth.currentUser);
}

/** Asks whether the address has been confirmed meanwhile; the next token says so as well. */
export async function checkVerification(): Promise<boolean> {
  await auth.currentUser?.reload();
  await auth.currentUser?.getIdToken(true);
  readUser();
  return user.peek()?.needsVerification === false;
}

export const sendPasswordReset = (email: string): Promise<void> => sendPasswordResetEmail(auth, email);

export const endSession = (): Promise<void> => signOut(auth);

const messages: Record<string, string> = {
  'auth/invalid-credential': 'There is no user with this e-mail and password.',
  'auth/invalid-login-credentials': 'There is no user with this e-mail and password.',
  'auth/user-not-found': 'There is no user with this e-mail and password.',
  'auth/wrong-password': 'There is no user with this e-mail and password.',
  'auth/invalid-email': 'This is not an e-mail address.',
  'auth/missing-email': 'Please type your e-mail address first.',
  'auth/email-already-in-use': 'There is a user with this e-mail already. Please sign in.',
  'auth/weak-password': 'The password needs at least 6 characters.',
  'auth/too-many-requests': 'Too many attempts. Please wait a while.',
  'auth/user-disabled': 'This user has been disabled.',
  'auth/network-request-failed': 'The sign-in service did not answer. Please try again.',
  'auth/popup-blocked': 'Your browser blocked the window for signing in. Please allow it and try again.',
  'auth/operation-not-allowed': 'This studio does not offer this way of signing in.',
};

/** What a refusal of Firebase means, in a sentence; empty for a window that the user closed. */
export function signInProblem(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'auth/popup-closed-by-user' || code === 'auth/cancelled-popup-request') return '';
  return messages[String(code)] ?? 'Signing in did not work. Please try again.';
}
