import type { ComponentChildren } from 'preact';

type Props = { drawing: ComponentChildren; title: string; level?: 'h2' | 'h3'; children: ComponentChildren };

/** What a list says while nothing is in it. */
export function EmptyState({ drawing, title, level: Heading = 'h3', children }: Props) {
  return (
    <div class="empty">
      {drawing}
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}
