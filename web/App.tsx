import { useEffect, useState } from 'preact/hooks';
import { createPageState, type PageState, PageStateProvider } from './state/pageState.ts';
import { route } from './state/route.ts';
import { type FirebaseConfig, user } from './state/session.ts';
import { Announcer } from './views/Announcer.tsx';
import { Create } from './views/Create.tsx';
import { Credits } from './views/Credits.tsx';
import { Header } from './views/Header.tsx';
import { Shortcuts } from './views/Shortcuts.tsx';
import { SignIn } from './views/SignIn.tsx';
import { Verification } from './views/Verification.tsx';
import { Viewer } from './views/Viewer.tsx';

export function App({ config }: { config: FirebaseConfig }) {
  const pageState = usePageStateOfUser(config, user.value?.uid);
  if (user.value === undefined) return <p class="boot">Opening the studio …</p>;
  return (
    <>
      {user.value === null && <SignIn isLocal={config.emulators !== undefined} />}
      {user.value !== null && pageState && (
        <PageStateProvider value={pageState}>
          <Header />
          <Verification />
          <main id="main">
            {/* Under an image the gallery stays as it is, and where it is scrolled to. */}
            <Create hidden={route.value.view === 'credits'} />
            {route.value.view === 'credits' && <Credits />}
          </main>
          {route.value.view === 'image' && <Viewer id={route.value.id} />}
          <Shortcuts />
        </PageStateProvider>
      )}
      <Announcer />
    </>
  );
}

/** The studio of this user, opened when they have signed in and closed when they have gone. */
function usePageStateOfUser(config: FirebaseConfig, uid: string | undefined): PageState | undefined {
  const [pageState, setStudio] = useState<PageState | undefined>();
  useEffect(() => {
    if (uid === undefined) return;
    const opened = createPageState(config, uid);
    setStudio(opened);
    opened.start();
    return () => {
      opened.close();
      // Again, here: what another window, or an answer on its way, has put there since that button was pressed.
      void opened.memory.clear();
      setStudio(undefined);
    };
  }, [config, uid]);
  return pageState;
}
