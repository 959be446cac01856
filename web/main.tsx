/** The studio's page: reads the project's configuration, then shows who is signed in what is theirs. */
import { render } from 'preact';
import { App } from './App.tsx';
import { startSession } from './state/session.ts';
import { CannotOpen } from './views/CannotOpen.tsx';

const place = document.getElementById('app') as HTMLElement;

try {
  const config = await startSession();
  place.replaceChildren();
  render(<App config={config} />, place);
} catch (error) {
  place.replaceChildren();
  render(<CannotOpen error={error} />, place);
}
