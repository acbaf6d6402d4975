// Which text of a commitment: the key of a field, or `milestones/{id}/{key}`. As `Target` in
// `document/src/model/replica.rs` has it.

/** The milestone and the key of a milestone's text; nothing for other texts. */
export function milestoneText(target: string): { id: string; key: string } | undefined {
  const [, id, key] = /^milestones\/([^/]+)\/(.+)$/.exec(target) ?? [];
  return id && key ? { id, key } : undefined;
}
