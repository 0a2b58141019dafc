// The panel at the side: what is known of the selected node, or of the whole graph.

const panel = document.getElementById("panel");

function el(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
function bytes(n) {
  for (const unit of ["bytes", "KiB", "MiB", "GiB"]) { if (n < 1024 || unit === "GiB") return unit === "bytes" ? `${n} bytes` : `${n.toFixed(1)} ${unit}`; n /= 1024; }
}
function number(n) { return n.toLocaleString("en-US"); }

function table(rows) {
  const made = el("table");
  for (const [key, value] of rows) if (value !== undefined && value !== null && value !== "") {
    const row = el("tr");
    row.append(el("th", key));
    const cell = el("td");
    cell.append(value instanceof Node ? value : String(value));
    row.append(cell);
    made.append(row);
  }
  return made;
}

function link(k, text) {
  const made = el("button", text || name(k), {class: "link"});
  made.addEventListener("click", () => select(k, true));
  return made;
}

function statsRows(s) {
  if (!s) return [];
  return [["mean", s.mean], ["std", s.std], ["min", s.min], ["max", s.max], ["zeros", `${+(100 * s.zeros).toFixed(2)} %`], ["NaN", s.nan || ""], ["infinite", s.inf || ""]];
}

function tell() {
  const parts = [];
  if (state.selected === null) parts.push(...ofGraph());
  else parts.push(...ofNode(state.selected));
  panel.replaceChildren(...parts);
}

function ofNode(k) {
  const n = nodes[k], parts = [el("h2", name(k))];
  const close = el("button", "× back to the graph", {class: "link"});
  close.addEventListener("click", () => select(null));
  parts.push(close);
  if (n.marks.length) parts.push(el("p", "! " + n.marks.join(", "), {class: "warning"}));
  if (n.check) parts.push(el("p", `gradient ${VERDICTS[n.check.verdict][1]} ${VERDICTS[n.check.verdict][0]}: ${n.check.text}`, {class: "v-" + n.check.verdict}));
  if (n.status && n.status !== "same") parts.push(el("p", n.status + (n.change ? `: ${n.change}` : ""), {class: n.status}));
  parts.push(table([["what", [n.role === "operation" ? n.kind || "operation" : n.role, n.layer].join(", ")], ["shape", sizeText(n)], ["device", n.device],
    ["parameters", n.note], ["module", n.module], ["kernel", n.kernel], ["line", n.site], ["code", n.code ? el("code", n.code) : ""]]));
  parts.push(table([...statsRows(n.stats), ["operations", n.flops ? number(n.flops) : ""], ["bytes", n.bytes ? bytes(n.bytes) : ""],
    ["held for backward", n.held ? bytes(n.held) : ""], ["memory while it runs", n.live ? bytes(n.live) : ""], ["time", n.seconds ? `${(1e6 * n.seconds).toFixed(1)} µs` : ""]]));
  const flows = (title, list, other) => {
    if (!list.length) return;
    parts.push(el("h3", title));
    const ul = el("ul");
    for (const e of list.slice(0, 40)) {
      const li = el("li");
      li.append(link(e[other]));
      if (e.slot) li.append(` ${e.slot}`);
      if (e.formula) { li.append(" "); li.append(el("code", e.formula)); }
      if (e.stats) li.append(el("small", ` mean ${e.stats.mean}, std ${e.stats.std}, min ${e.stats.min}, max ${e.stats.max}, zeros ${+(100 * e.stats.zeros).toFixed(1)} %${e.stats.nan ? `, NaN ${e.stats.nan}` : ""}${e.stats.inf ? `, infinite ${e.stats.inf}` : ""}`));
      ul.append(li);
    }
    if (list.length > 40) ul.append(el("li", `and ${list.length - 40} more`));
    parts.push(ul);
  };
  flows("reads", into[k].filter(e => e.kind === "data"), "source");
  flows("cotangents that arrive", into[k].filter(e => e.kind === "gradient"), "source");
  flows("its rules read", into[k].filter(e => e.kind === "saved"), "source");
  flows("read by", outOf[k].filter(e => e.kind === "data"), "target");
  flows("cotangents that leave", outOf[k].filter(e => e.kind === "gradient"), "target");
  const partners = nodes.filter(m => m.number !== k && (m.anchor === k || n.anchor !== undefined && (m.number === n.anchor || m.anchor === n.anchor)));
  if (partners.length) { parts.push(el("h3", "beside it")); const ul = el("ul"); partners.slice(0, 12).forEach(m => { const li = el("li"); li.append(link(m.number), ` ${m.layer}`); ul.append(li); }); parts.push(ul); }
  return parts;
}

function ofGraph() {
  const parts = [el("h2", data.title || "graph")], forward = nodes.filter(n => n.layer === "forward");
  const flops = list => list.reduce((t, n) => t + (n.flops || 0), 0);
  parts.push(table([["nodes", number(nodes.length)], ["edges", number(edges.length)], ["backward passes", data.passes || ""],
    ["parameters", number(nodes.filter(n => n.role === "parameter").reduce((t, n) => t + n.shape.reduce((a, b) => a * b, 1), 0)) || ""],
    ["operations forward", number(flops(forward))], ["operations in all", number(flops(nodes))],
    ["held for backward", data.held ? bytes(data.held) : ""], ["peak of memory", data.peak ? bytes(data.peak.bytes) : ""]]));
  for (const line of data.legend) parts.push(el("p", line));
  if (data.notes.length) {
    parts.push(el("h3", "health"));
    const ul = el("ul", null, {class: "notes"});
    for (const note of data.notes) {
      const li = el("li", null, {class: /memory$/.test(note.kind) ? "" : "warning"});
      li.append(el("b", note.kind + " "));
      li.append(note.nodes.length ? link(note.nodes[0], note.text) : note.text);
      ul.append(li);
    }
    parts.push(ul);
  }
  const live = steps.filter(k => nodes[k].live !== undefined && nodes[k].live !== null);
  if (live.length > 1) parts.push(el("h3", "memory of values, step by step"), memoryChart(live));
  const layers = gradientsByLayer();
  if (layers.length > 1) parts.push(el("h3", "gradients by module, root mean square"), bars(layers));
  parts.push(el("h3", "legend"), legend());
  return parts;
}

function memoryChart(live) {
  const w = 280, h = 70, most = Math.max(...live.map(k => nodes[k].live)) || 1;
  const svg = make("svg", {viewBox: `0 0 ${w} ${h}`, class: "chart", role: "img", "aria-label": `memory over the steps; at most ${bytes(most)}`});
  const x = i => i * w / live.length, y = v => h - 12 - (h - 22) * v / most;
  svg.append(make("path", {class: "area", d: `M0 ${h - 12}` + live.map((k, i) => `L${x(i).toFixed(1)} ${y(nodes[k].live).toFixed(1)}H${x(i + 1).toFixed(1)}`).join("") + `V${h - 12}Z`}));
  const turn = live.findIndex(k => nodes[k].layer !== "forward");
  if (turn > 0) svg.append(make("path", {class: "turn", d: `M${x(turn)} 0V${h - 12}`}), make("text", {x: x(turn) + 3, y: h - 2}, "backward"));
  const top = live.findIndex(k => nodes[k].live === most);
  svg.append(make("text", {x: 2, y: h - 2}, "forward"), make("circle", {class: "peak", cx: x(top + 0.5), cy: y(most), r: 3}),
    make("text", {x: Math.min(x(top) + 6, w - 90), y: 9}, `peak ${bytes(most)}`));
  svg.addEventListener("click", event => select(live[Math.min(live.length - 1, Math.floor(event.offsetX / svg.clientWidth * live.length))], true));
  return svg;
}

function gradientsByLayer() { // of each innermost module: the size of the cotangent that reaches its last operation
  const found = new Map();
  for (const n of nodes) if (n.layer === "backward" && n.role === "operation" && n.module) {
    const s = Math.max(0, ...into[n.number].filter(e => e.kind === "gradient" && e.stats).map(e => size(e.stats)));
    if (s && !found.has(n.module)) found.set(n.module, {name: n.module, value: s, node: n.anchor ?? n.number});
  }
  return [...found.values()].sort((a, b) => a.node - b.node);
}

function bars(rows) {
  const ul = el("ul", null, {class: "bars"}), logs = rows.map(r => Math.log10(r.value)), low = Math.min(...logs), high = Math.max(...logs);
  for (const r of rows.slice(0, 60)) {
    const li = el("li"), bar = el("span", null, {class: "bar"});
    bar.style.width = `${high > low ? 8 + 92 * (Math.log10(r.value) - low) / (high - low) : 100}%`;
    li.append(link(r.node, r.name), el("small", ` ${r.value.toPrecision(3)}`), bar);
    ul.append(li);
  }
  return ul;
}

function legend() {
  const ul = el("ul", null, {class: "legend"});
  const used = new Set(nodes.map(styleOf));
  const entry = (shape, words) => { const li = el("li"), svg = make("svg", {width: 26, height: 18, viewBox: "0 0 26 18", "aria-hidden": "true"}); svg.append(...shape); li.append(svg, " " + words); ul.append(li); };
  for (const [key, s] of Object.entries(data.styles)) if (used.has(key)) entry([make("g", {class: "box s-" + key}, make("rect", {class: "body", x: 2, y: 2, width: 20, height: 14, rx: Math.min(s.radius, 7)}), make("text", {class: "sign", x: 12, y: 13, "text-anchor": "middle"}, s.sign))], s.words);
  for (const l of layersThere) entry([make("path", {class: `edge ${l === "forward" || l === "update" ? "data" : "gradient"} l-${l.replace(" ", "-")}`, d: "M1 9H25"})], l + (l === "update" ? "" : " pass"));
  if (nodes.some(n => n.check)) for (const [v, [sign, words]] of Object.entries(VERDICTS)) entry([make("text", {x: 12, y: 14, "text-anchor": "middle", class: "v-" + v}, sign)], "gradient " + words);
  if (nodes.some(n => n.status)) for (const s of ["added", "removed", "changed"]) entry([make("text", {x: 12, y: 14, "text-anchor": "middle", class: "status " + s}, statusSign(s).trim())], s);
  entry([make("text", {x: 12, y: 14, "text-anchor": "middle", class: "status removed"}, "!")], "look here");
  return ul;
}
