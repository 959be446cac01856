/** What the studio says of itself to anyone: prices, free credits, terms and support. Known before the sign-in. */
import { signal } from '@preact/signals';
import type { StudioInfo } from '../../shared/contract.ts';

/** Undefined until it is loaded. The page works without it. */
export const studioInfo = signal<StudioInfo | undefined>();

export async function loadStudioInfo(): Promise<void> {
  if (studioInfo.peek()) return;
  try {
    const response = await fetch('/health');
    if (response.ok) studioInfo.value = (await response.json()).studio;
  } catch {
    // Nothing is shown in its place.
  }
}
