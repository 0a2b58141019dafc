// The picture as SVG. Only what is on the screen is in the document; far away, boxes are drawn without their text.

const SVG = "http://www.w3.org/2000/svg";
const stage = document.getElementById("stage"), scene = document.getElementById("scene");
const camera = {x: 0, y: 0, k: 1};
let view, plan, painted = "";

function make(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

function styleOf(n) { return n.role !== "operation" ? n.role : data.styles[n.kind] ? n.kind : "other"; }
function layerSign(layer) { return {backward: "∂ ", "second order": "∂² ", "third order": "∂³ "}[layer] || ""; }
function statusSign(s) { return {added: "+ ", removed: "− ", changed: "~ "}[s] || ""; }
function sizeText(n) { return n.dtype ? (n.shape.length ? n.shape.join("×") : "scalar") + (n.dtype === "float32" ? "" : " " + n.dtype) : ""; }
function groupTitle(g) { return (g.name || "the whole") + (g.label ? ": " + g.label : "") + (g.count > 1 && state.fold ? `  ×${g.count}` : ""); }
function verdictOf(members) {
  const found = members.map(k => nodes[k].check).filter(Boolean);
  return found.find(c => c.verdict === "WRONG") || found.find(c => c.verdict === "INCONCLUSIVE") || found[0];
}
const VERDICTS = {CORRECT: ["✓", "right"], WRONG: ["✗", "wrong"], INCONCLUSIVE: ["?", "cannot tell"]};
function statusOf(box) {
  const found = new Set(box.members.map(k => nodes[k].status));
  return found.size === 1 ? [...found][0] : found.size && [...found].some(s => s && s !== "same") ? "changed" : "";
}

function linesOf(box) {
  const check = verdictOf(box.members), tail = (check ? " " + VERDICTS[check.verdict][0] : "") + (box.members.some(k => nodes[k].marks.length) ? " !" : "");
  if (box.group) {
    const last = nodes[box.members[box.members.length - 1]], operations = box.members.filter(k => nodes[k].role === "operation").length;
    const own = state.fold && box.group.count > 1 ? operations / box.group.count : operations;
    return [statusSign(statusOf(box)) + layerSign(box.layer) + groupTitle(box.group) + tail,
      `${Math.round(own)} operation${own === 1 ? "" : "s"}`, ""];
  }
  const n = box.node;
  if (n.role === "sum") return ["+", "", ""];
  const notes = n.layer === "forward" ? split(n.note).filter(p => !/=(None|False)$/.test(p)).join(", ") : "";
  return [statusSign(n.status) + (n.role === "operation" ? layerSign(n.layer) : "") + n.label + tail, sizeText(n), notes.length > 30 ? notes.slice(0, 29) + "…" : notes];
}

function split(note) {
  const parts = [];
  let depth = 0, start = 0;
  [...note].forEach((c, k) => {
    if ("([{".includes(c)) depth++;
    if (")]}".includes(c)) depth--;
    if (c === "," && !depth) { parts.push(note.slice(start, k).trim()); start = k + 1; }
  });
  return [...parts, note.slice(start).trim()].filter(Boolean);
}

function curve(points) {
  let [x, y] = points[0], text = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (const [a, b] of points.slice(1)) {
    const m = (y + b) / 2;
    text += Math.abs(y - b) < 1 ? `L${a.toFixed(1)} ${b.toFixed(1)}` : `C${x.toFixed(1)} ${m.toFixed(1)} ${a.toFixed(1)} ${m.toFixed(1)} ${a.toFixed(1)} ${b.toFixed(1)}`;
    [x, y] = [a, b];
  }
  return text;
}

// Colors that show a number: a box is filled in proportion.
const MEASURES = {
  flops: m => sum(m, "flops"), bytes: m => sum(m, "bytes"), held: m => sum(m, "held"), seconds: m => sum(m, "seconds"),
  gradient: m => Math.max(0, ...m.map(k => Math.max(0, ...into[k].filter(e => e.kind === "gradient" && e.stats).map(e => size(e.stats))))),
};
function sum(members, field) { return members.reduce((t, k) => t + (nodes[k][field] || 0), 0); }
function size(s) { return s && s.mean !== null && s.std !== null ? Math.sqrt(s.mean ** 2 + s.std ** 2) : 0; }

function heat(box) { // 0 to 1, on a logarithmic scale
  const value = MEASURES[state.color](box.members);
  if (!value) return 0;
  const [low, high] = view.range;
  return high > low ? 0.08 + 0.92 * (Math.log(value) - low) / (high - low) : 1;
}

function update(anchor) { // lay out and draw; what is under `anchor` stays where it is on the screen
  const before = anchor && where(anchor);
  view = visible();
  plan = arrange(view);
  for (const l of view.links.values()) if (l.kind === "gradient") { l.source.gives = (l.source.gives || 0) + 1; l.target.takes = (l.target.takes || 0) + 1; }
  view.lines = [...view.links.values()].filter(l => l.kind !== "saved" || state.saved).map(link => {
    const points = pathOf(link, plan), xs = points.map(p => p[0]), ys = points.map(p => p[1]);
    return {link, points, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
  });
  if (MEASURES[state.color]) {
    const logs = [...view.boxes.values()].map(b => MEASURES[state.color](b.members)).filter(v => v > 0).map(Math.log);
    view.range = [Math.min(...logs), Math.max(...logs)];
  }
  const after = anchor && where(anchor);
  if (before && after) { camera.x += (before[0] - after[0]) * camera.k; camera.y += (before[1] - after[1]) * camera.k; }
  paint(true);
  tell();
}

function where(key) { // the place of a box or an open group
  if (!view) return null;
  const g = plan.open.get(key);
  if (g) return [g.x + g.w / 2, g.y];
  for (const box of view.boxes.values()) if (box.key === key || box.group && box.group.number === key) return [box.x, box.y - box.h / 2];
  return null;
}

function paint(fresh = false, everything = false) {
  scene.setAttribute("transform", `translate(${camera.x.toFixed(2)} ${camera.y.toFixed(2)}) scale(${camera.k.toFixed(4)})`);
  const w = stage.clientWidth, h = stage.clientHeight, m = everything ? Infinity : 300;
  const box = [(-camera.x - m) / camera.k, (-camera.y - m) / camera.k, (w - camera.x + m) / camera.k, (h - camera.y + m) / camera.k];
  const far = camera.k < 0.3 && !everything;
  // What was drawn reaches further than the screen: draw again only when the screen comes near its border.
  const tile = [Math.floor(camera.x / 200), Math.floor(camera.y / 200), Math.round(Math.log2(camera.k) * 3), w, h, far].join();
  if (!fresh && !everything && tile === painted) return;
  painted = everything ? "" : tile;
  const inside = (l, t, r, b) => l < box[2] && r > box[0] && t < box[3] && b > box[1];
  const parts = [];
  for (const g of plan.open.values()) if (g.group && inside(g.x, g.y, g.x + g.w, g.y + g.h)) parts.push(frameOf(g, far));
  const labels = [];
  for (const line of view.lines) if (inside(line.left, line.top, line.right, line.bottom)) drawLine(line, parts, labels, far);
  for (const b of view.boxes.values()) if (inside(b.x - b.w / 2, b.y - b.h / 2, b.x + b.w / 2, b.y + b.h / 2)) parts.push(drawBox(b, far));
  scene.replaceChildren(...parts, ...labels);
}

function frameOf(g, far) {
  const group = groups[g.group];
  const made = make("g", {class: "frame depth" + (chainOf(g.group).length % 2), "data-group": g.group},
    make("rect", {x: g.x, y: g.y, width: g.w, height: g.h, rx: 8}));
  if (!far) {
    made.append(make("rect", {class: "handle", x: g.x, y: g.y, width: g.w, height: HEAD, rx: 8, "data-group": g.group, tabindex: 0, role: "button", "aria-label": `close ${groupTitle(group)}`}),
      make("text", {x: g.x + 10, y: g.y + 16}, "▾ " + groupTitle(group)));
  }
  return made;
}

function drawLine({link, points}, parts, labels, far) {
  const e = link.all[0], kind = link.kind, layer = kind === "gradient" ? link.target.layer : link.source.layer;
  const status = link.all.every(o => o.status === e.status) ? e.status : "";
  const hot = state.step !== null && isCurrent(link.target);
  const path = make("path", {d: curve(points), class: `edge ${kind} l-${layer.replace(" ", "-")} ${status} ${hot ? "hot" : ""}`,
    "marker-end": kind === "saved" ? null : `url(#tip-${layer === "forward" ? "forward" : layer === "update" ? "update" : layer === "backward" ? "backward" : "second"})`});
  if (!far) path.append(make("title", {}, edgeText(link)));
  parts.push(path);
  if (far || kind !== "gradient" || !state.rules || !e.formula || camera.k < 0.55) return;
  if (link.all.some(o => o.formula !== e.formula)) return;
  // Where edges begin or end together, their rules stand nearer to the other ends.
  const k = Math.floor(points.length / 2), [a, b] = [points[k - 1], points[k]], t = link.source.gives > 1 ? 0.74 : link.target.takes > 1 ? 0.28 : 0.5;
  const x = a[0] + (b[0] - a[0]) * t * t * (3 - 2 * t), m = (a[1] + b[1]) / 2, u = 1 - t;
  const y = u ** 3 * a[1] + 3 * u * t * m + t ** 3 * b[1];
  const text = e.formula.length > 34 ? e.formula.slice(0, 33) + "…" : e.formula;
  labels.push(make("text", {class: "rule", x: x + 5, y: y + 3}, text));
}

function edgeText(link) {
  return link.all.slice(0, 4).map(e => {
    const s = e.stats, from = nodes[e.source], to = nodes[e.target];
    return `${from.label} → ${to.label}${e.slot ? ", " + e.slot : ""}${e.formula ? ": " + e.formula : ""}` + (s ? `\ncotangent: mean ${s.mean}, std ${s.std}, min ${s.min}, max ${s.max}, zeros ${s.zeros}` : "");
  }).join("\n") + (link.all.length > 4 ? `\nand ${link.all.length - 4} more` : "");
}

function drawBox(b, far) {
  const n = b.node, style = b.group ? "group" : styleOf(n), check = verdictOf(b.members), status = statusOf(b);
  const classes = ["box", "s-" + style, "l-" + b.layer.replace(" ", "-")];
  if (state.selected !== null && b.members.includes(state.selected)) classes.push("selected");
  if (b.members.some(k => state.found.has(k))) classes.push("found");
  if (status && status !== "same") classes.push(status);
  if (status === "same") classes.push("same");
  if (state.color === "check") classes.push(check ? "v-" + check.verdict : "v-none");
  if (state.step !== null) classes.push(stepClass(b));
  const x = b.x - b.w / 2, y = b.y - b.h / 2, made = make("g", {class: classes.join(" "), "data-key": b.key});
  const radius = style === "sum" ? 12 : b.group ? 4 : data.styles[style].radius;
  if (b.group && !far) made.append(make("rect", {class: "under", x: x + 4, y: y - 4, width: b.w, height: b.h, rx: radius}));
  const body = make("rect", {class: "body", x, y, width: b.w, height: b.h, rx: radius});
  if (MEASURES[state.color]) { const t = heat(b); body.setAttribute("style", `fill: color-mix(in oklab, var(--hot) ${(100 * t).toFixed(0)}%, var(--paper))`); if (t > 0.55) made.classList.add("dark"); }
  made.append(body);
  if (far) return made;
  made.setAttribute("tabindex", 0);
  made.setAttribute("role", "button");
  made.setAttribute("aria-label", `${b.lines.filter(Boolean).join(", ")}, ${b.layer}`);
  if (style === "sum") { made.append(make("text", {class: "title", x: b.x, y: b.y + 5, "text-anchor": "middle"}, "+")); return badge(made, b); }
  made.append(make("text", {class: "sign", x: x + 7, y: y + 16}, b.group ? "▸" : data.styles[style].sign),
    make("text", {class: "title", x: b.x + 6, y: y + 16, "text-anchor": "middle"}, b.lines[0]));
  if (b.lines[1]) made.append(make("text", {class: "size", x: b.x, y: y + 29.5, "text-anchor": "middle"}, b.lines[1]));
  if (b.lines[2]) made.append(make("text", {class: "note", x: b.x, y: y + 42, "text-anchor": "middle"}, b.lines[2]));
  return badge(made, b);
}

function badge(made, b) { // how many cotangents have arrived, of how many
  const told = state.step !== null && waitingText(b);
  if (told) made.append(make("g", {class: "badge"}, make("rect", {x: b.x + b.w / 2 - 14, y: b.y - b.h / 2 - 9, width: 30, height: 16, rx: 8}),
    make("text", {x: b.x + b.w / 2 + 1, y: b.y - b.h / 2 + 3, "text-anchor": "middle"}, told)));
  return made;
}
