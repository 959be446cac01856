/** Entry point of the page: reads the Firebase configuration, then renders the app. */
import { render } from 'preact';
import { App } from './App.tsx';
import { ignoreDoubleClicks } from './state/doubleClicks.ts';
import { followPreferences } from './state/preferences.ts';
import { startSession } from './state/session.ts';
import { CannotOpen } from './views/CannotOpen.tsx';

const root = document.getElementById('app') as HTMLElement;

followPreferences();
ignoreDoubleClicks();

try {
  const config = await startSession();
  root.replaceChildren();
  render(<App config={config} />, root);
} catch (error) {
  root.replaceChildren();
  // Without a connection, `fetch` fails with a TypeError.
  const isConnected = error instanceof Error && !(error instanceof TypeError);
  render(<CannotOpen problem={isConnected ? error.message : undefined} />, root);
}
