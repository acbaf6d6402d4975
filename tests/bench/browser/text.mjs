// The text in which the browser benchmarks type. It is the same in every editor that they compare.

/** Returns a text of `words` words, with `block` words on each line. */
export function textOf(words, block) {
  const lines = [];
  for (let n = 0; n < words; n += block) {
    lines.push(Array.from({ length: Math.min(block, words - n) }, (_, i) => `word${(n + i) % 97}`).join(' '));
  }
  return `${lines.join('\n')}\n`;
}
