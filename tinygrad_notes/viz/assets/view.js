// What is visible: which groups are open, which layers are shown, and the boxes and edges that follow from that.

const data = JSON.parse(document.getElementById("graph").textContent);
const nodes = data.nodes, edges = data.edges;
const ORDER = ["forward", "backward", "second order", "third order", "update"];
const LEAVES = new Set(["parameter", "input", "constant", "state"]);
// Children of a group before it is cut into stretches; forward boxes of the first view, and at most when all are opened.
const CHUNK = 40, START = 60, LIMIT = 600;

for (const n of nodes) {
  n.layer ??= "forward"; n.group ??= -1; n.kind ??= ""; n.note ??= ""; n.shape ??= []; n.dtype ??= "";
  n.marks ??= []; n.status ??= ""; n.module ??= ""; n.count ??= 1;
}
const layersThere = ORDER.concat(nodes.map(n => n.layer)).filter((l, k, all) => all.indexOf(l) === k && nodes.some(n => n.layer === l));
const into = nodes.map(() => []), outOf = nodes.map(() => []);
for (const e of edges) { e.slot ??= ""; e.formula ??= ""; e.status ??= ""; into[e.target].push(e); outOf[e.source].push(e); }
const twins = new Map(data.twins);

const groups = [{number: 0, parent: -1, name: data.title || "graph", label: "", kind: "root", count: 1, first: 0}]
  .concat(data.groups.map(g => ({...g, number: g.number + 1, parent: g.parent + 1, first: g.first + 1})));
const groupOf = nodes.map(n => n.group + 1);

const state = {
  open: new Set([0]), layers: new Set(layersThere), fold: groups.some(g => g.count > 1), rules: true, saved: false,
  focus: null, selected: null, step: null, found: new Set(), color: "kind", side: "both", hops: 2,
};

function twin(k) {
  if (state.fold) while (twins.has(k)) k = twins.get(k);
  return k;
}

function hostOf(k) { // the forward node beside which a node is drawn
  const a = nodes[k].anchor;
  return a === undefined || a === null ? k : a;
}

function chainOf(g) { // the groups around a place, outermost first
  const found = [];
  for (; g > 0; g = groups[g].parent) found.push(g);
  found.push(0);
  return found.reverse();
}

// Many children of one group are cut into stretches of neighbours, so that no level of the picture is too large.
function cutIntoStretches() {
  const inside = new Map(); // group -> child -> first node; a child is a group (negative) or a node
  for (const n of nodes) {
    if (n.layer !== "forward" && n.anchor !== undefined || twin(n.number) !== n.number || LEAVES.has(n.role) || n.role === "output") continue;
    const path = chainOf(groupOf[n.number]);
    path.forEach((g, k) => {
      if (!inside.has(g)) inside.set(g, new Map());
      const key = k + 1 < path.length ? -path[k + 1] : n.number;
      if (!inside.get(g).has(key)) inside.get(g).set(key, n.number);
    });
  }
  for (const [g, items] of inside) if (items.size > 2 * CHUNK) cut(g, [...items].sort((a, b) => a[1] - b[1]), 1);
}

function cut(g, items, first) {
  const size = Math.max(CHUNK, Math.ceil(items.length / CHUNK));
  for (let k = 0; k < items.length; k += size) {
    const part = items.slice(k, k + size), number = groups.length, inside = new Set();
    groups.push({number, parent: g, name: `operations ${first + k} to ${first + k + part.length - 1}`, label: "", kind: "stretch", count: 1, first: number});
    for (const [key] of part) { if (key < 0) groups[-key].parent = number; else { groupOf[key] = number; inside.add(key); } }
    for (const n of inside) for (const e of into[n]) { // a leaf that only this stretch reads goes with it
      const all = outOf[e.source].filter(o => nodes[o.target].layer === "forward");
      if (LEAVES.has(nodes[e.source].role) && groupOf[e.source] === g && all.every(o => inside.has(o.target))) groupOf[e.source] = number;
    }
    if (part.length > 2 * CHUNK) cut(number, part, first + k);
  }
}

function sideShown(n) {
  return state.side === "both" || state.side === "before" && n.status !== "added" || state.side === "after" && n.status !== "removed"
    || state.side === "changes" && n.status !== "same";
}

function shown(k) {
  const n = nodes[k];
  return state.layers.has(n.layer) && sideShown(n) && (!state.focus || state.focus.has(hostOf(k)) || state.focus.has(k));
}

function keyOf(k) { // what stands for a node in the picture: its own box or that of the outermost closed group
  k = twin(k);
  const host = hostOf(k), n = nodes[k];
  const shut = chainOf(groupOf[host]).find(g => !state.open.has(g));
  return shut === undefined ? "n" + k : `g${shut}/${n.layer}`;
}

function cellOf(k) {
  const host = hostOf(twin(k));
  const shut = chainOf(groupOf[host]).find(g => !state.open.has(g));
  return shut === undefined ? "c" + host : "g" + shut;
}

// {boxes: key -> box, cells: key -> cell, links: edges between boxes}
function visible() {
  const boxes = new Map(), cells = new Map(), keys = new Array(nodes.length);
  for (const n of nodes) {
    if (!shown(n.number)) continue;
    const key = keys[n.number] = keyOf(n.number), own = twin(n.number) === n.number;
    let box = boxes.get(key);
    if (!box) {
      const group = key[0] === "g" ? groups[+key.slice(1).split("/")[0]] : null;
      boxes.set(key, box = {key, group, layer: n.layer, members: [], node: null, cell: cellOf(n.number)});
    }
    box.members.push(n.number);
    if (own && !box.group) box.node = n;
    let cell = cells.get(box.cell);
    if (!cell) {
      const host = hostOf(twin(n.number));
      cells.set(box.cell, cell = {key: box.cell, host, boxes: [], path: chainOf(groupOf[host]).filter(g => state.open.has(g)), first: Infinity});
    }
    if (!cell.boxes.includes(box)) cell.boxes.push(box);
    if (own && n.layer === nodes[cell.host].layer) cell.first = Math.min(cell.first, LEAVES.has(n.role) ? (cell.key[0] === "c" ? -1 : Infinity) : n.number);
  }
  for (const box of boxes.values()) if (!box.group && !box.node) box.node = nodes[twin(box.members[0])];
  const links = new Map();
  for (const e of edges) {
    const a = keys[e.source], b = keys[e.target];
    if (!a || !b || a === b) continue;
    const moved = twin(e.source) !== e.source || twin(e.target) !== e.target;
    if (moved && nodes[e.source].layer === nodes[e.target].layer && e.kind !== "saved" && boxes.get(a).members[0] > boxes.get(b).members[0]) continue;
    const id = `${a} ${b} ${e.kind}`;
    const known = links.get(id);
    if (known) known.all.push(e); else links.set(id, {id, source: boxes.get(a), target: boxes.get(b), kind: e.kind, all: [e]});
  }
  return {boxes, cells, links, keys};
}

// Open groups from the outside in, down to a depth (the group of the whole model does not count), while there are not too
// many boxes. Returns whether some had to stay closed.
function openTo(depth, most = LIMIT) {
  const children = new Map(), direct = new Array(groups.length).fill(0);
  for (const g of groups) if (g.number && (!state.fold || g.first === g.number)) {
    if (!children.has(g.parent)) children.set(g.parent, []);
    children.get(g.parent).push(g.number);
  }
  for (const n of nodes) if (n.layer === "forward" && twin(n.number) === n.number) direct[groupOf[n.number]]++;
  const inside = g => direct[g] + (children.get(g) || []).length;
  let total = inside(0), row = [0], left = false;
  state.open = new Set([0]);
  while (row.length) {
    const next = [];
    for (const g of row) for (const c of children.get(g) || []) {
      if (chainOf(c).filter(k => k && (groups[k].name || groups[k].parent > 0)).length > depth) continue;
      if (total + inside(c) - 1 > most) { left = true; continue; }
      state.open.add(c); total += inside(c) - 1; next.push(c);
    }
    row = next;
  }
  return left;
}

function around(k, hops) { // the hosts within some edges of a node
  const near = new Map(), add = (a, b) => near.has(a) ? near.get(a).add(b) : near.set(a, new Set([b]));
  for (const e of edges) {
    const a = hostOf(twin(e.source)), b = hostOf(twin(e.target));
    if (e.kind !== "saved") { add(a, b); add(b, a); }
  }
  const seen = new Set([hostOf(twin(k))]);
  let edge = [...seen];
  for (let h = 0; h < hops; h++) {
    edge = edge.flatMap(a => [...near.get(a) || []].filter(b => !seen.has(b)));
    edge.forEach(b => seen.add(b));
  }
  return seen;
}

function search(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  return nodes.filter(n => {
    const hay = [n.label, n.module, n.site || "", n.code || "", n.note, n.role, n.layer, n.dtype, n.shape.join("x"), n.kind, ...n.marks].join(" ").toLowerCase();
    return wanted.every(w => hay.includes(w));
  }).map(n => n.number);
}
