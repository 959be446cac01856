import type { ComponentChildren } from 'preact';

type Props = { drawing: ComponentChildren; title: string; children: ComponentChildren };

/** What a list says while nothing is in it. */
export function EmptyState({ drawing, title, children }: Props) {
  return (
    <div class="empty">
      {drawing}
      <h3>{title}</h3>
      {children}
    </div>
  );
}
