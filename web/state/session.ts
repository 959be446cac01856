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
  updatePassword,
} from '@firebase/auth';
import { signal } from '@preact/signals';
import { firstText as text } from '../strings/first.ts';
import { visitStorage } from './browserStorage.ts';

type HostAndPort = { host: string; port: number };

/** The part of `/__/firebase/init.json` that the page uses. Firebase Hosting and the local run both serve this file. */
export type FirebaseConfig = {
  apiKey: string;
  authDomain: string;
  projectId: string;
  appId: string;
  emulators?: { auth?: HostAndPort; firestore?: HostAndPort };
};

/** What the studio and the desk get. @property hasSignedIn true if the user has signed in during this visit */
export type PartProps = { config: FirebaseConfig; uid: string; hasSignedIn: boolean };

/**
 * @property providers how the user signs in, by Firebase's names: `password`, `google.com`
 * @property needsVerification true if the user has a password and has not confirmed the e-mail address
 */
export type User = {
  uid: string;
  email: string;
  providers: string[];
  hasPassword: boolean;
  needsVerification: boolean;
};

/** Undefined while Firebase restores the session; null if nobody is signed in. */
export const user = signal<User | null | undefined>(undefined);

/** Why the session has ended, for the sign-in page. Empty after a sign-out in this window. */
export const farewell = signal('');

/** Informs the user's other windows why the session ends. */
const windows = new BroadcastChannel('nano-banana-studio/session');

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
  windows.onmessage = ({ data }: MessageEvent<string>) => {
    if (user.peek() || farewell.peek() === text.signIn.sessionEnded) farewell.value = data;
  };
  return config;
}

const signedInName = 'nano-banana-studio/signedIn';

/** True if a session was there, in this visit or at the end of the last one: it may have ended while no window was open. */
function isSignedInBefore(): boolean {
  return Boolean(user.peek()) || visitStorage.read(signedInName) !== null;
}

function rememberSession(isSignedIn: boolean): void {
  if (isSignedIn) visitStorage.write(signedInName, 'yes');
  else visitStorage.remove(signedInName);
}

/** True from a sign-out in this window until Firebase has made it. */
let isSigningOut = false;

function readUser(): void {
  const { currentUser } = auth;
  if (!currentUser) {
    if (isSignedInBefore() && !isSigningOut) farewell.value ||= text.signIn.sessionEnded;
    isSigningOut = false;
    rememberSession(false);
    user.value = null;
    isAdmin.value = undefined;
    return;
  }
  if (!user.peek()) {
    farewell.value = '';
    rememberSession(true);
  }
  void readClaims(currentUser);
  const { uid, email, emailVerified, providerData } = currentUser;
  const providers = providerData.map(({ providerId }) => providerId);
  const hasPassword = providers.includes('password');
  const needsVerification = hasPassword && !emailVerified;
  const previous = user.peek();
  if (previous?.uid === uid && previous.needsVerification === needsVerification) return;
  user.value = { uid, email: email ?? text.signIn.signedIn, providers, hasPassword, needsVerification };
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
  try {
    return await auth.currentUser.getIdToken(forceRefresh);
  } catch (error) {
    // Firebase has signed out a user that it does not accept any more.
    const reason = text.signIn.endings[String((error as { code?: unknown }).code)];
    if (reason && !auth.currentUser) farewell.value = reason;
    throw error;
  }
}

export async function signInWithGoogle(): Promise<void> {
  await signInWithPopup(auth, new GoogleAuthProvider(), browserPopupRedirectResolver);
}

export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

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

/**
 * Changes the password. Firebase then ends all other sessions of the user, when their tokens expire: within an hour.
 * @throws Firebase's error if the current password is wrong, or the new one too weak
 */
export async function changePassword(current: string, next: string): Promise<void> {
  await signInAgain(current);
  if (auth.currentUser) await updatePassword(auth.currentUser, next);
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

/** Signs out, in all windows of this browser. @param words for the sign-in page, if it was no mere sign-out */
export async function endSession(words = ''): Promise<void> {
  windows.postMessage(words || text.signIn.signedOutElsewhere);
  isSigningOut = true;
  rememberSession(false);
  farewell.value = words;
  await signOut(auth);
}

/** The message for a failed sign-in. Empty if the user closed the sign-in window. */
export function signInProblem(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'auth/popup-closed-by-user' || code === 'auth/cancelled-popup-request') return '';
  return text.signIn.problems[String(code)] ?? text.signIn.failed;
}
