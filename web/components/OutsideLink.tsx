import type { ComponentChildren } from 'preact';

/** A link to another page in a new tab, so that nothing on this page is lost. Only its text if there is no address. */
export function OutsideLink({ href, children }: { href: string | undefined; children: ComponentChildren }) {
  if (!href) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
