// Where everything goes. Each open group is laid out by itself (dagre) and is one box for the group around it; edges that
// cross its border go through ports. So every layout is small, and a group that did not change is not laid out again.

const GAP = 10, STACK = 8, PAD = 14, HEAD = 24;
const measure = document.createElement("canvas").getContext("2d");
const FONT = "600 12.5px ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif";
const widths = new Map(), layouts = new Map();

function textWidth(text, scale = 1) {
  if (!widths.has(text)) { measure.font = FONT; widths.set(text, measure.measureText(text).width); }
  return widths.get(text) * scale;
}

function sizeBox(box) {
  const lines = linesOf(box);
  box.lines = lines;
  if (box.node && box.node.role === "sum") { box.w = box.h = 24; return; }
  box.w = Math.max(textWidth(lines[0]) + 30, textWidth(lines[1], 0.8) + 16, textWidth(lines[2], 0.76) + 16);
  box.h = 24 + (lines[1] ? 13 : 0) + (lines[2] ? 13 : 0);
}

// Boxes of one cell: a column for each layer, the forward node first; gradients come from below, so the first is lowest.
function sizeCell(cell) {
  const columns = new Map();
  cell.boxes.sort((a, b) => a.members[0] - b.members[0]);
  for (const box of cell.boxes) {
    sizeBox(box);
    if (!columns.has(box.layer)) columns.set(box.layer, []);
    columns.get(box.layer).push(box);
  }
  const sorted = [...columns].sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0])).map(c => c[1]);
  const wide = sorted.map(c => Math.max(...c.map(b => b.w)));
  cell.w = wide.reduce((a, b) => a + b, 0) + GAP * (sorted.length - 1);
  let left = -cell.w / 2, reach = 0;
  sorted.forEach((column, k) => {
    const mains = column.filter(b => !b.node || b.node.role !== "sum" && b.node.role !== "constant");
    const total = column.reduce((t, b) => t + b.h + STACK, -STACK);
    let bottom = total / 2;
    if (mains.length === 1) {
      bottom = mains[0].h / 2;
      for (const b of column) { if (b === mains[0]) break; bottom += b.h + STACK; }
    }
    reach = Math.max(reach, bottom, total - bottom);
    for (const b of column) { b.dx = left + wide[k] / 2; b.dy = bottom - b.h / 2; bottom -= b.h + STACK; }
    left += wide[k] + GAP;
  });
  cell.h = 2 * reach;
}

function arrange(view) {
  const root = {key: "G0", group: 0, children: new Map(), links: new Map(), ports: new Map()};
  const open = new Map([[0, root]]);
  const item = (path, depth) => {
    const g = path[depth];
    if (!open.has(g)) {
      const made = {key: "G" + g, group: g, children: new Map(), links: new Map(), ports: new Map(), parent: item(path, depth - 1)};
      open.set(g, made);
      made.parent.children.set(made.key, made);
    }
    return open.get(g);
  };
  const cells = [...view.cells.values()].sort((a, b) => a.first - b.first || a.host - b.host);
  for (const cell of cells) {
    sizeCell(cell);
    cell.parent = item(cell.path, cell.path.length - 1);
    cell.parent.children.set(cell.key, cell);
  }
  const routes = new Map();
  for (const link of view.links.values()) {
    if (link.kind === "saved") continue;
    let a = view.cells.get(link.source.cell), b = view.cells.get(link.target.cell);
    if (a === b) continue;
    if (link.kind === "gradient" && a.first >= b.first) [a, b] = [b, a]; // drawn upward, laid out downward
    else if (a.first > b.first && Number.isFinite(a.first)) [a, b] = [b, a];
    const id = a.key + ">" + b.key;
    if (!routes.has(id) && !routes.has(b.key + ">" + a.key)) routes.set(id, connect(a, b));
  }
  place(root);
  settle(root, 0, 0);
  return {root, open, routes, width: root.w, height: root.h};
}

// The links at every level that an edge from cell a to cell b goes through.
function connect(a, b) {
  const up = [a], down = [b];
  for (let g = a.parent; g; g = g.parent) up.push(g);
  for (let g = b.parent; g; g = g.parent) down.push(g);
  while (up.length > 1 && down.length > 1 && up[up.length - 2] === down[down.length - 2] && up[up.length - 2].children) { up.pop(); down.pop(); }
  const common = up.pop(); down.pop();
  const ia = up[up.length - 1], ib = down[down.length - 1], steps = [];
  const port = (g, side, other) => {
    const key = side + other.key;
    if (!g.ports.has(key)) g.ports.set(key, {key, side, w: 2, h: 2});
    return g.ports.get(key);
  };
  const link = (g, from, to) => {
    const key = from.key + ">" + to.key;
    if (!g.links.has(key)) g.links.set(key, {from, to, key});
    return g.links.get(key);
  };
  for (let k = 1; k < up.length; k++) { const p = port(up[k], "out:", ib); steps.push({link: link(up[k], k === 1 ? a : up[k - 1], p), in: up[k], port: p}); }
  steps.push({link: link(common, ia, ib), in: common});
  for (let k = down.length - 1; k > 0; k--) { const p = port(down[k], "in:", ia); steps.push({link: link(down[k], p, k === 1 ? b : down[k - 1]), in: down[k], port: p}); }
  return {a, b, steps};
}

function place(g) {
  for (const child of g.children.values()) if (child.children) place(child);
  const signature = [...g.children.values()].map(c => `${c.key}:${Math.round(c.w)}x${Math.round(c.h)}`).join() + "|"
    + [...g.links.keys()].join() + "|" + [...g.ports.keys()].join() + "|" + state.rules;
  let found = layouts.get(g.key);
  if (!found || found.signature !== signature) layouts.set(g.key, found = {signature, ...solve(g)});
  Object.assign(g, {w: found.w, h: found.h, at: found.at, points: found.points});
}

function solve(g) {
  const graph = new dagre.graphlib.Graph({multigraph: true});
  const tall = state.rules && state.layers.has("backward") ? 40 : 30;
  graph.setGraph({ranksep: tall, nodesep: 18, edgesep: 10, ranker: g.children.size > 70 ? "longest-path" : "network-simplex"});
  graph.setDefaultEdgeLabel(() => ({}));
  const sources = new Set(g.children.keys()), sinks = new Set(g.children.keys());
  for (const c of g.children.values()) graph.setNode(c.key, {width: c.w, height: c.h});
  for (const p of g.ports.values()) graph.setNode(p.key, {width: p.w, height: p.h});
  for (const l of g.links.values()) {
    graph.setEdge(l.from.key, l.to.key, {weight: 2}, l.key);
    sources.delete(l.to.key); sinks.delete(l.from.key);
  }
  const ins = [...g.ports.values()].filter(p => p.side === "in:"), outs = [...g.ports.values()].filter(p => p.side === "out:");
  if (ins.length) { // entrances at the top, exits at the bottom
    graph.setNode("top", {width: 1, height: 1});
    for (const p of ins) graph.setEdge("top", p.key, {weight: 8}, "top" + p.key);
    for (const c of sources) if (!LEAVES.has(roleOf(g.children.get(c)))) graph.setEdge("top", c, {weight: 0, minlen: 2}, "top" + c);
  }
  if (outs.length) {
    graph.setNode("bottom", {width: 1, height: 1});
    for (const p of outs) graph.setEdge(p.key, "bottom", {weight: 8}, "bottom" + p.key);
    for (const c of sinks) graph.setEdge(c, "bottom", {weight: 0, minlen: 2}, "bottom" + c);
  }
  dagre.layout(graph);
  const at = new Map(), points = new Map();
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
  for (const c of [...g.children.values(), ...g.ports.values()]) {
    const {x, y} = graph.node(c.key);
    at.set(c.key, [x, y]);
    if (!c.side) { left = Math.min(left, x - c.w / 2); right = Math.max(right, x + c.w / 2); top = Math.min(top, y - c.h / 2); bottom = Math.max(bottom, y + c.h / 2); }
    else { left = Math.min(left, x - 4); right = Math.max(right, x + 4); }
  }
  for (const l of g.links.values()) {
    const line = graph.edge(l.from.key, l.to.key, l.key).points.slice(1, -1).map(p => [p.x, p.y]);
    if (line.length < 2) line.length = 0; // neighbours need no point between them
    for (const [x] of line) { left = Math.min(left, x - 6); right = Math.max(right, x + 6); }
    points.set(l.key, line);
  }
  const head = g.group ? HEAD : 0, shiftX = PAD - left, shiftY = PAD + head - top;
  for (const p of at.values()) { p[0] += shiftX; p[1] += shiftY; }
  for (const line of points.values()) for (const p of line) { p[0] += shiftX; p[1] += shiftY; }
  const name = g.group ? textWidth(groupTitle(groups[g.group])) + 50 : 0, w = Math.max(right - left + 2 * PAD, name);
  return {at, points, w, h: bottom - top + 2 * PAD + head};
}

function roleOf(item) { return item && item.boxes && item.boxes[0].node ? item.boxes[0].node.role : ""; }

function settle(g, x, y) { // absolute places: of a group its upper left corner, of cells and boxes the center
  g.x = x; g.y = y;
  for (const c of g.children.values()) {
    const [dx, dy] = g.at.get(c.key);
    if (c.children) settle(c, x + dx - c.w / 2, y + dy - c.h / 2);
    else { c.x = x + dx; c.y = y + dy; for (const b of c.boxes) { b.x = c.x + b.dx; b.y = c.y + b.dy; } }
  }
}

// Points between the ends of a route, downward from its first cell.
function middle(route) {
  const found = [];
  route.steps.forEach(step => {
    const g = step.in, line = g.points.get(step.link.key).map(([x, y]) => [g.x + x, g.y + y]);
    if (!step.port) { found.push(...line); return; }
    const [px, py] = g.at.get(step.port.key), x = g.x + px;
    if (step.port.side === "out:") found.push(...line, [x, g.y + Math.min(py, g.h - 6)], [x, g.y + g.h]);
    else found.push([x, g.y], [x, g.y + Math.max(py, 6)], ...line);
  });
  return found;
}

function pathOf(link, plan) {
  const s = link.source, t = link.target;
  if (s.cell === t.cell) {
    if (Math.abs(s.x - t.x) < 1) return s.y > t.y ? [[s.x, s.y - s.h / 2], [t.x, t.y + t.h / 2]] : [[s.x, s.y + s.h / 2], [t.x, t.y - t.h / 2]];
    const side = t.x > s.x ? 1 : -1;
    return [[s.x + side * s.w / 2, s.y], [t.x - side * t.w / 2, t.y]];
  }
  const forward = plan.routes.get(s.cell + ">" + t.cell), back = plan.routes.get(t.cell + ">" + s.cell);
  const offset = link.kind === "gradient" ? (link.target.layer === "backward" ? 9 : 16) : 0;
  const inner = forward ? middle(forward) : back ? middle(back).reverse() : [];
  const up = s.y > t.y;
  return [[s.x, up ? s.y - s.h / 2 : s.y + s.h / 2], ...inner.map(([x, y]) => [x + offset, y]), [t.x, up ? t.y + t.h / 2 : t.y - t.h / 2]];
}
