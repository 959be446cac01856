/** Where a picture is painted and shown. */
import type { Generation } from '../shared/contract.ts';
import { byId, make, timeElement } from './dom.ts';
import { tierNames } from './words.ts';

export type Shape = { width: number; height: number };
export function createStage() {
  const status = byId('status', HTMLElement);
  const canvas = byId('canvas', HTMLElement);
  const elapsed = byId('elapsed', HTMLElement);
  const failure = byId('failure', HTMLElement);
  const again = byId('again', HTMLButtonElement);
  const picture = byId('picture', HTMLElement);
  let ticking: ReturnType<typeof setInterval> | undefined;
  let shownId: string | undefined;

  function stop(): void {
    clearInterval(ticking);
    canvas.hidden = true;
  }

  function clear(): void {
    shownId = undefined;
    picture.replaceChildren();
    picture.hidden = true;
  }

  function show({ id, image, prompt, tier, model, createdAt }: Generation): void {
    clear();
    if (!image) return;
    const { url: src, width, height } = image;
    const link = { href: src, target: '_blank', rel: 'noopener', title: 'Open in full size' };
    const facts = [tierNames[tier], `${width} × ${height}`, model ?? ''].filter(Boolean).join(' · ');
    picture.append(
      make('a', link, make('img', { src, width, height, alt: prompt ?? '' })),
      make(
        'figcaption',
        {},
        make('p', {}, prompt ?? ''),
        make('p', { className: 'quiet' }, `${facts} · `, timeElement(createdAt)),
      ),
    );
    shownId = id;
    picture.hidden = false;
  }

  return {
    show,
    /** @param askedAt milliseconds since 1970. @param shape undefined where it is not known. */
    painting(askedAt: number, shape: Shape | undefined): void {
      stop();
      clear();
      failure.hidden = true;
      again.hidden = true;
      if (shape) canvas.style.aspectRatio = `${shape.width} / ${shape.height}`;
      canvas.hidden = false;
      const tick = () => {
        elapsed.textContent = `${Math.max(0, Math.floor((Date.now() - askedAt) / 1000))} s`;
      };
      tick();
      ticking = setInterval(tick, 1000);
    },
    say(text: string): void {
      status.textContent = text;
    },
    done(generation: Generation, text: string): void {
      stop();
      status.textContent = text;
      show(generation);
    },
    /** @param againLabel of the button to try again; undefined where that is of no use. */
    failed(message: string, creditsText: string, againLabel: string | undefined): void {
      stop();
      status.textContent = '';
      byId('failure-message', HTMLElement).textContent = message;
      byId('failure-credits', HTMLElement).textContent = creditsText;
      failure.hidden = false;
      again.hidden = againLabel === undefined;
      again.textContent = againLabel ?? '';
    },
    onAgain: (callback: () => void) => again.addEventListener('click', callback),
    /** Takes the picture away if it is this one. */
    forget(id: string): void {
      if (shownId !== id) return;
      clear();
      status.textContent = '';
    },
  };
}
