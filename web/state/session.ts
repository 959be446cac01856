/** Sign-in with Firebase Authentication, and the signed-in user. */
import { initializeApp } from '@firebase/app';
import {
  type Auth,
  browserLocalPersistence,
  browserPopupRedirectResolver,
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  EmailAuthProvider,
  GoogleAuthProvider,
  indexedDBLocalPersistence,
  initializeAuth,
  onIdTokenChanged,
  reauthenticateWithCredential,
  reauthenticateWithPopup,
  sendEmailVerification,
  sendPasswordResetEmail,
  signInWithEmailAndPassword,
  signInWithPopup,
  signOut,
} from '@firebase/auth';
import { signal } from '@preact/signals';
import { text } from '../strings/en.ts';

type HostAndPort = { host: string; port: number };

/** The part of `/__/firebase/init.json` that the page uses. Firebase Hosting and the local run both serve this file. */
export type FirebaseConfig = {
  apiKey: string;
  authDomain: string;
  projectId: string;
  appId: string;
  emulators?: { auth?: HostAndPort; firestore?: HostAndPort };
};

/** @property needsVerification true if the user has a password and has not confirmed the e-mail address */
export type User = { uid: string; email: string; hasPassword: boolean; needsVerification: boolean };

/** Undefined while Firebase restores the session; null if nobody is signed in. */
export const user = signal<User | null | undefined>(undefined);

/** True if the token says that the user is an admin; undefined until it is read. It only decides what the page offers. */
export const isAdmin = signal<boolean | undefined>(undefined);

/** Set by `startSession`, which must run before every other function here. */
let auth: Auth;

/** Reads the Firebase configuration and starts updating `user`. @throws if the configuration cannot be read */
export async function startSession(): Promise<FirebaseConfig> {
  const response = await fetch('/__/firebase/init.json');
  if (!response.ok) throw new Error(text.common.configurationUnreadable(response.status));
  const config = (await response.json()) as FirebaseConfig;
  auth = initializeAuth(initializeApp(config), {
    persistence: [indexedDBLocalPersistence, browserLocalPersistence],
  });
  const emulator = config.emulators?.auth;
  if (emulator) {
    const scheme = emulator.port === 443 ? 'https' : 'http';
    connectAuthEmulator(auth, `${scheme}://${emulator.host}:${emulator.port}`, { disableWarnings: true });
  }
  onIdTokenChanged(auth, readUser);
  return config;
}

function readUser(): void {
  const { currentUser } = auth;
  if (!currentUser) {
    user.value = null;
    isAdmin.value = undefined;
    return;
  }
  void readClaims(currentUser);
  const { uid, email, emailVerified, providerData } = currentUser;
  const hasPassword = providerData.some(({ providerId }) => providerId === 'password');
  const needsVerification = hasPassword && !emailVerified;
  const previous = user.peek();
  if (previous?.uid === uid && previous.needsVerification === needsVerification) return;
  user.value = { uid, email: email ?? text.signIn.signedIn, hasPassword, needsVerification };
}

async function readClaims(currentUser: NonNullable<Auth['currentUser']>): Promise<void> {
  const claims = await currentUser.getIdTokenResult().then(
    (token) => token.claims,
    () => ({}) as { admin?: unknown },
  );
  if (auth.currentUser === currentUser) isAdmin.value = claims.admin === true;
}

/** Returns the user's ID token. @param forceRefresh skips Firebase's cache. @throws if nobody is signed in */
export async function idToken(forceRefresh = false): Promise<string> {
  if (!auth.currentUser) throw new Error(text.signIn.nobody);
  return auth.currentUser.getIdToken(forceRefresh);
}

export async function signInWithGoogle(): Promise<void> {
  await signInWithPopup(auth, new GoogleAuthProvider(), browserPopupRedirectResolver);
}

export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

/** The last sentence to a user whose account is closed. */
export const farewell = signal('');

/** Proves once more who the user is, and gets a new token. @param password empty for a user without one */
export async function signInAgain(password: string): Promise<void> {
  const { currentUser } = auth;
  if (!currentUser) throw new Error(text.signIn.nobody);
  if (user.peek()?.hasPassword) {
    const credential = EmailAuthProvider.credential(currentUser.email ?? '', password);
    await reauthenticateWithCredential(currentUser, credential);
  } else await reauthenticateWithPopup(currentUser, new GoogleAuthProvider(), browserPopupRedirectResolver);
  await currentUser.getIdToken(true);
}

/** Creates the user and sends the verification mail. */
export async function createUser(email: string, password: string): Promise<void> {
  await createUserWithEmailAndPassword(auth, email, password);
  await sendVerification();
}

export async function sendVerification(): Promise<void> {
  if (auth.currentUser) await sendEmailVerification(auth.currentUser);
}

/** Returns true if the user has confirmed the address. Also refreshes the token, so that the functions know it. */
export async function checkVerification(): Promise<boolean> {
  await auth.currentUser?.reload();
  await auth.currentUser?.getIdToken(true);
  readUser();
  return user.peek()?.needsVerification === false;
}

export const sendPasswordReset = (email: string): Promise<void> => sendPasswordResetEmail(auth, email);

export const endSession = (): Promise<void> => signOut(auth);

/** The message for a failed sign-in. Empty if the user closed the sign-in window. */
export function signInProblem(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'auth/popup-closed-by-user' || code === 'auth/cancelled-popup-request') return '';
  return text.signIn.problems[String(code)] ?? text.signIn.failed;
}
