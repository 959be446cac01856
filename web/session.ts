/** Who is signed in: Firebase Authentication over its REST interface. */

/** What `/__/firebase/init.json` says, as far as it is used here. */
export type FirebaseConfig = {
  apiKey: string;
  emulators?: { auth?: { host: string; port: number } };
};

/** A user of the local run, whom `local/demo.ts` creates. */
export type DemoUser = { name: string; email: string };
export const demoUsers: readonly DemoUser[] = [
  { name: 'Demo user', email: 'demo@example.com' },
  { name: 'Admin', email: 'admin@example.com' },
];
const demoPassword = 'nano-banana';

const storageKey = 'nano-banana-studio/session';
/** A token is renewed this long before its end, so that none ends on the way, milliseconds. */
const renewBeforeMs = 5 * 60_000;
const timeoutMs = 15_000;

type Kept = { uid: string; email: string; refreshToken: string };

/** The sign-in service does not know this session any more. */
export class SessionEnded extends Error {}

export type Session = ReturnType<typeof createSession>;

/** @param storage keeps the session over a reload: the browser's localStorage. */
export function createSession({ apiKey, emulators }: FirebaseConfig, storage: Storage) {
  const emulator = emulators?.auth;
  const origin = emulator && `http://${emulator.host}:${emulator.port}`;
  let kept = readKept(storage);
  let token: { idToken: string; endsAt: number } | undefined;
  let renewing: Promise<string> | undefined;

  /** @throws {SessionEnded} for a refusal; an Error where the service was not reached. */
  async function ask(service: string, path: string, body: Record<string, unknown>) {
    const base = origin ? `${origin}/${service}` : `https://${service}`;
    const response = await fetch(`${base}/v1/${path}?key=${encodeURIComponent(apiKey)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch(() => undefined);
    const answer = (await response?.json().catch(() => undefined)) as Record<string, string> | undefined;
    if (response?.ok && answer) return answer;
    if (response?.status === 400) throw new SessionEnded('The sign-in was refused.');
    throw new Error('The sign-in service did not answer. Please try again.');
  }

  function keep(user: Kept, idToken: string, expiresIn: string): string {
    kept = user;
    token = { idToken, endsAt: Date.now() + Number(expiresIn) * 1000 };
    storage.setItem(storageKey, JSON.stringify(user));
    return idToken;
  }

  async function renew({ email, refreshToken }: Kept): Promise<string> {
    const answer = await ask('securetoken.googleapis.com', 'token', {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    });
    const { user_id: uid = '', refresh_token = '', id_token = '', expires_in = '0' } = answer;
    return keep({ uid, email, refreshToken: refresh_token }, id_token, expires_in);
  }

  return {
    /** Whether this is a local run, whose users sign in with one click. */
    isLocal: emulator !== undefined,
    user: () => kept,
    async signIn({ email }: DemoUser): Promise<void> {
      const body = { email, password: demoPassword, returnSecureToken: true };
      const answer = await ask('identitytoolkit.googleapis.com', 'accounts:signInWithPassword', body);
      const { localId: uid = '', refreshToken = '', idToken = '', expiresIn = '0' } = answer;
      keep({ uid, email, refreshToken }, idToken, expiresIn);
    },
    signOut(): void {
      kept = undefined;
      token = undefined;
      storage.removeItem(storageKey);
    },
    /**
     * A token that lasts a while yet. @param anew has one made even where there is one, for a refused token.
     * @throws {SessionEnded} when the user must sign in again.
     */
    async token(anew = false): Promise<string> {
      if (!kept) throw new SessionEnded('Nobody is signed in.');
      if (token && !anew && Date.now() < token.endsAt - renewBeforeMs) return token.idToken;
      renewing ??= renew(kept).finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
  };
}

function readKept(storage: Storage): Kept | undefined {
  try {
    const { uid, email, refreshToken } = JSON.parse(storage.getItem(storageKey) ?? '');
    return typeof refreshToken === 'string' && refreshToken !== '' ? { uid, email, refreshToken } : undefined;
  } catch {
    return undefined;
  }
}

/** Calls back when the user signs out in another window. */
export function onSignedOutElsewhere(callback: () => void): void {
  addEventListener('storage', ({ key, newValue }) => {
    if ((key === storageKey || key === null) && newValue === null) callback();
  });
}
