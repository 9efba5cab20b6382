/** The mark of the product: a plume behind a fence. */
export function Mark({ size }: { size: number }) {
  return (
    <svg class="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path class="mark-plume" d="M5 20L11 9L16 17L20 12L27 20" />
      <path class="mark-fence" d="M5 25.5H27" />
    </svg>
  );
}
