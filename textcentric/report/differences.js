// Word differences as `differences.py` makes them, for texts that are drawn when they are asked for.
const wordDifferences = (() => {
  const WORD = /(?:[^\s.,;:!?()"“”]|[.,:](?=\d))+\s*|[.,;:!?()"“”]+\s*|\s+/gu;
  const MOST_PAIRS = 1_000_000; // of words that are compared; longer texts stand unmarked
  const MOSTLY_REWRITTEN = 0.4; // share of the source's letters that are kept

  const same = (a, b) => a.trim() === b.trim();

  // The lengths of the longest common subsequences of all ends of two lists of words.
  const lengths = (old, now) => {
    const width = now.length + 1;
    const table = new Uint16Array((old.length + 1) * width);
    for (let i = old.length - 1; i >= 0; i--)
      for (let j = now.length - 1; j >= 0; j--)
        table[i * width + j] = same(old[i], now[j])
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    return (i, j) => table[i * width + j];
  };

  const middle = (old, now) => {
    const pieces = [];
    const left = lengths(old, now);
    let i = 0, j = 0;
    while (i < old.length || j < now.length) {
      if (i < old.length && j < now.length && same(old[i], now[j])) pieces.push(["same", now[j++]]), i++;
      else if (i < old.length && (j === now.length || left(i + 1, j) >= left(i, j + 1))) pieces.push(["gone", old[i++]]);
      else pieces.push(["new", now[j++]]);
    }
    return pieces;
  };

  // Neighbours of one kind become one piece; what went stands before what came instead.
  const joined = (pieces) => {
    const runs = [];
    let gone = "", come = "";
    const flush = () => {
      if (gone) runs.push(["gone", gone]);
      if (come) runs.push(["new", come]);
      gone = come = "";
    };
    for (const [kind, words] of pieces) {
      if (kind === "gone") gone += words;
      else if (kind === "new") come += words;
      else {
        flush();
        if (runs.length && runs[runs.length - 1][0] === "same") runs[runs.length - 1][1] += words;
        else runs.push(["same", words]);
      }
    }
    flush();
    return runs;
  };

  // Pieces of `text` in reading order, and whether it is mostly rewritten: then nothing is struck.
  return (source, text) => {
    const old = source.match(WORD) || [], now = text.match(WORD) || [];
    let start = 0, end = 0;
    const shorter = Math.min(old.length, now.length);
    while (start < shorter && same(old[start], now[start])) start++;
    while (end < shorter - start && same(old[old.length - 1 - end], now[now.length - 1 - end])) end++;
    const [from, to] = [old.slice(start, old.length - end), now.slice(start, now.length - end)];
    if (from.length * to.length > MOST_PAIRS) return { pieces: [["same", text]], rewritten: false };
    const kept = (words) => words.map((one) => ["same", one]);
    const pieces = joined([...kept(now.slice(0, start)), ...middle(from, to), ...kept(now.slice(now.length - end))]);
    const letters = pieces.reduce((sum, [kind, words]) => sum + (kind === "same" ? words.length : 0), 0);
    const rewritten = source !== "" && letters < MOSTLY_REWRITTEN * Math.min(source.length, text.length);
    return { pieces: rewritten ? pieces.filter(([kind]) => kind !== "gone") : pieces, rewritten };
  };
})();
