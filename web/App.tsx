import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Announcer } from './components/Announcer.tsx';
import { route } from './state/route.ts';
import { type FirebaseConfig, user } from './state/session.ts';
import { text } from './strings/en.ts';
import { CannotOpen } from './views/CannotOpen.tsx';
import { Report } from './views/Report.tsx';
import { SignIn } from './views/SignIn.tsx';

type StudioComponent = FunctionComponent<{ config: FirebaseConfig; uid: string }>;

export function App({ config }: { config: FirebaseConfig }) {
  const uid = user.value?.uid;
  const { Studio, error } = useStudio(uid !== undefined);
  if (route.value.view === 'report') return <Report token={route.value.token} />;
  if (error) return <CannotOpen error={error} />;
  if (user.value === undefined || (uid !== undefined && !Studio)) {
    return <p class="boot">{text.common.opening}</p>;
  }
  return (
    <>
      {uid !== undefined && Studio ? (
        <Studio key={uid} config={config} uid={uid} />
      ) : (
        <SignIn isLocal={config.emulators !== undefined} />
      )}
      <Announcer />
    </>
  );
}

/** Loads the studio once somebody is signed in. */
function useStudio(isNeeded: boolean): { Studio?: StudioComponent; error?: unknown } {
  const [loaded, setLoaded] = useState<{ Studio?: StudioComponent; error?: unknown }>({});
  useEffect(() => {
    if (!isNeeded || loaded.Studio) return;
    import('./views/Studio.tsx')
      .then(({ Studio }) => setLoaded({ Studio }))
      .catch((error) => setLoaded({ error }));
  }, [isNeeded, loaded.Studio]);
  return loaded;
}
