import type { ComponentChildren } from 'preact';

/** The place of an image that cannot be shown. @property label what the drawing in it means */
export function TilePlaceholder({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <span class="gone" role="img" aria-label={label} title={label}>
      {children}
    </span>
  );
}
