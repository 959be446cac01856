import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon, type IconName } from './Icon.tsx';

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'class' | 'icon'> & {
  kind?: 'primary' | 'danger' | 'plain' | 'text';
  icon?: IconName;
  isWide?: boolean;
  children: ComponentChildren;
};

/** A button with a text. Without `kind` it is one of several equal actions. */
export function Button({ kind, icon, isWide, children, ...attributes }: Props) {
  const name = [kind, isWide && 'wide'].filter(Boolean).join(' ');
  return (
    <button type="button" class={name || undefined} {...attributes}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'class' | 'icon' | 'label'> & {
  icon: IconName;
  label: string;
  isSmall?: boolean;
  /** True for a button on an image. */
  isOverImage?: boolean;
  /** More classes. */
  look?: string;
};

/** A round button with an icon. Its label is its name and its tooltip. */
export function IconButton({ icon, label, isSmall, isOverImage, look, ...attributes }: IconButtonProps) {
  const name = ['round', isSmall && 'small', isOverImage && 'over-image', look].filter(Boolean).join(' ');
  return (
    <button type="button" class={name} aria-label={label} title={label} {...attributes}>
      <Icon name={icon} />
    </button>
  );
}
