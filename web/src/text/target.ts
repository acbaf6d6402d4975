// Reads targets. A target names a text of a commitment: it is the key of a field, or `milestones/{id}/{key}`, like `Target` in
// `document/src/model/target.rs`.

/** Returns the id of the milestone and the key of its text, or `undefined` for a text outside milestones. */
export function parseMilestoneTarget(target: string): { id: string; key: string } | undefined {
  const [, id, key] = /^milestones\/([^/]+)\/(.+)$/.exec(target) ?? [];
  return id && key ? { id, key } : undefined;
}
