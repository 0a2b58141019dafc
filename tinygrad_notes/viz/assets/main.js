// Mouse, keyboard, buttons.

const byId = id => document.getElementById(id);

function reveal(k, center = true) { // open what hides a node, and bring it to the middle of the screen
  const host = hostOf(twin(k)), hidden = chainOf(groupOf[host]).filter(g => !state.open.has(g));
  if (center) hidden.forEach(g => state.open.add(g));
  if (!shown(k) && state.focus) state.focus = null;
  if (!state.layers.has(nodes[k].layer)) { state.layers.add(nodes[k].layer); ticks(); }
  if (center || !view) update();
  const box = view.boxes.get(keyOf(k));
  if (!box) return;
  const x = box.x * camera.k + camera.x, y = box.y * camera.k + camera.y, w = stage.clientWidth, h = stage.clientHeight;
  if (center || x < 60 || y < 60 || x > w - 60 || y > h - 60) {
    if (center) camera.k = Math.max(camera.k, 0.8);
    camera.x = w / 2 - box.x * camera.k; camera.y = h / 2 - box.y * camera.k;
  }
}

function select(k, center = false) {
  state.selected = k;
  if (k !== null && center) reveal(k);
  paint(true);
  tell();
}

function toggle(g) {
  const opens = !state.open.has(g);
  if (opens) state.open.add(g); else state.open.delete(g);
  update(opens ? g : "G" + g);
}

function fit() {
  const w = stage.clientWidth, h = stage.clientHeight;
  camera.k = Math.min(1.25, Math.max(0.04, Math.min(w / plan.width, h / plan.height)));
  camera.x = (w - plan.width * camera.k) / 2; camera.y = Math.max(4, (h - plan.height * camera.k) / 2);
  paint(true);
}

function begin() { // the first view: as large as can be read, from the top
  if (!stage.clientHeight) { // in a frame that is not shown yet
    new ResizeObserver((_, seen) => { if (stage.clientHeight) { seen.disconnect(); begin(); } }).observe(stage);
    return;
  }
  fit();
  if (camera.k >= 0.62) return;
  camera.k = 0.75;
  const boxes = [...view.boxes.values()], top = Math.min(...boxes.map(b => b.y - b.h / 2));
  const first = boxes.filter(b => b.y < top + stage.clientHeight / camera.k);
  // The middle one of what is computed there: the mean of branches that stand far apart would be empty paper.
  const work = first.filter(b => b.layer === "forward" && (b.group || b.node.role === "operation"));
  const across = (work.length ? work : first).map(b => b.x).sort((a, b) => a - b);
  camera.x = stage.clientWidth / 2 - across[across.length >> 1] * camera.k;
  camera.y = 24 - top * camera.k;
  paint(true);
}

function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const k = Math.min(4, Math.max(0.03, camera.k * factor));
  camera.x = x - (x - camera.x) * k / camera.k; camera.y = y - (y - camera.y) * k / camera.k; camera.k = k;
  paint();
}

// Mouse ------------------------------------------------------------------------------------------
let drag = null, frame = 0;
const soon = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; paint(); }); };
stage.addEventListener("wheel", event => {
  event.preventDefault();
  const box = stage.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  if (event.ctrlKey || event.metaKey || !event.shiftKey && event.deltaMode === 0 && Math.abs(event.deltaX) < 1) {
    const k = Math.min(4, Math.max(0.03, camera.k * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016))));
    camera.x = x - (x - camera.x) * k / camera.k; camera.y = y - (y - camera.y) * k / camera.k; camera.k = k;
  } else { camera.x -= event.deltaX + (event.shiftKey ? event.deltaY : 0); camera.y -= event.shiftKey ? 0 : event.deltaY; }
  soon();
}, {passive: false});
stage.addEventListener("pointerdown", event => { drag = {x: event.clientX, y: event.clientY, cx: camera.x, cy: camera.y, moved: false}; });
window.addEventListener("pointermove", event => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) > 3) { drag.moved = true; stage.classList.add("dragging"); }
  if (drag.moved) { camera.x = drag.cx + dx; camera.y = drag.cy + dy; soon(); }
});
window.addEventListener("pointerup", () => { stage.classList.remove("dragging"); setTimeout(() => { drag = null; }); });

function act(target, twice) {
  const handle = target.closest("[data-group].handle"), box = target.closest(".box[data-key]");
  if (handle) { toggle(+handle.dataset.group); return; }
  if (!box) { if (!twice) select(null); return; }
  const found = view.boxes.get(box.dataset.key);
  if (!found) return;
  if (found.group) { if (twice || target.classList.contains("sign")) toggle(found.group.number); else select(found.members[found.members.length - 1]); }
  else select(twin(found.members[0]));
}
stage.addEventListener("click", event => { if (!drag || !drag.moved) act(event.target, false); });
stage.addEventListener("dblclick", event => act(event.target, true));

// Keyboard ------------------------------------------------------------------------------------------
const KEYS = {
  ArrowLeft: () => pan(80, 0), ArrowRight: () => pan(-80, 0), ArrowUp: () => pan(0, 80), ArrowDown: () => pan(0, -80),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), f: fit, "0": fit,
  "/": () => byId("search").focus(), "[": () => goTo((state.step ?? 0) - 1), "]": () => goTo(state.step === null ? 0 : state.step + 1),
  n: () => neighbours(), e: () => depth(99), c: () => depth(0), t: () => theme(), "?": () => byId("help").showModal(),
  Escape: () => { if (state.step !== null) { stop(); goTo(null); } else if (state.focus) neighbours(); else select(null); },
};
function pan(dx, dy) { camera.x += dx; camera.y += dy; paint(); }
window.addEventListener("keydown", event => {
  if (event.target.closest?.("input, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const on = document.activeElement;
  if ((event.key === "Enter" || event.key === " ") && on && on.closest("#scene")) {
    const key = on.dataset.key, g = on.dataset.group;
    event.preventDefault();
    act(on, true);
    const again = [...scene.querySelectorAll("[tabindex]")].find(e => key ? e.dataset.key === key : e.dataset.group === g);
    if (again) again.focus();
    return;
  }
  if (on && on.closest("button, a") && (event.key === "Enter" || event.key === " ")) return;
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
});

// Buttons --------------------------------------------------------------------------------------------
function depth(d) {
  const left = openTo(d);
  update();
  fit();
  byId("depth").value = Math.min(d, +byId("depth").max);
  if (left) byId("told").textContent = `not all groups were opened: more than ${LIMIT} boxes are too many for one view. Open those you want to see one by one`;
}
function neighbours() {
  state.focus = state.focus || state.selected === null ? null : around(state.selected, state.hops);
  byId("near").setAttribute("aria-pressed", String(!!state.focus));
  if (state.focus) for (const h of state.focus) chainOf(groupOf[h]).forEach(g => state.open.add(g));
  update();
  fit();
}
function theme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}
let timer = 0;
function stop() { clearInterval(timer); timer = 0; byId("play").textContent = "▶"; }
byId("play").addEventListener("click", () => {
  if (timer) { stop(); return; }
  byId("play").textContent = "❚❚";
  if (state.step === null || state.step >= steps.length - 1) goTo(0);
  timer = setInterval(() => { if (state.step >= steps.length - 1) stop(); else goTo(state.step + 1); }, 700);
});
byId("slider").max = steps.length;
byId("slider").addEventListener("input", event => goTo(+event.target.value ? +event.target.value - 1 : null));
byId("prev").addEventListener("click", () => goTo((state.step ?? 1) - 1));
byId("next").addEventListener("click", () => goTo(state.step === null ? 0 : state.step + 1));
byId("turn").addEventListener("click", () => goTo(steps.findIndex(k => derivative.has(nodes[k].layer))));
byId("turn").hidden = !derivative.size;
byId("fit").addEventListener("click", fit);
byId("theme").addEventListener("click", theme);
byId("print").addEventListener("click", () => window.print());
byId("near").addEventListener("click", neighbours);
byId("hops").addEventListener("change", event => { state.hops = +event.target.value; if (state.focus) { state.focus = null; neighbours(); } });
byId("depth").max = Math.max(0, ...groups.map(g => chainOf(g.number).length - 1));
byId("depth").addEventListener("input", event => depth(+event.target.value));
byId("color").addEventListener("change", event => { state.color = event.target.value; update(); });
byId("side").addEventListener("change", event => { state.side = event.target.value; update(); fit(); });
byId("side").closest("label").hidden = !nodes.some(n => n.status);
byId("ask").addEventListener("click", () => byId("help").showModal());
for (const option of byId("color").options) {
  option.hidden = option.value === "check" ? !nodes.some(n => n.check) : MEASURES[option.value] ? !(MEASURES[option.value](nodes.map(n => n.number)) > 0) : false;
}

let hit = -1;
function find(step = 0) {
  const found = search(byId("search").value);
  state.found = new Set(found);
  hit = found.length ? (step ? (hit + step + found.length) % found.length : 0) : -1;
  byId("hits").textContent = byId("search").value ? (found.length ? `${hit + 1} of ${found.length}` : "none") : "";
  if (found.length) select(found[hit], true); else paint(true);
}
byId("search").addEventListener("input", () => find());
byId("search").addEventListener("keydown", event => { if (event.key === "Enter") { event.preventDefault(); find(event.shiftKey ? -1 : 1); } });

function tick(text, on, change) {
  const label = el("label"), box = el("input", null, {type: "checkbox"});
  box.checked = on;
  box.addEventListener("change", () => change(box.checked));
  label.append(box, " " + text);
  return label;
}
function ticks() {
  const parts = layersThere.length > 1 ? layersThere.map(l => tick(l, state.layers.has(l), on => { if (on) state.layers.add(l); else state.layers.delete(l); update(); })) : [];
  if (edges.some(e => e.formula)) parts.push(tick("rules", state.rules, on => { state.rules = on; update(); }));
  if (edges.some(e => e.kind === "saved")) parts.push(tick("what rules read", state.saved, on => { state.saved = on; update(); }));
  if (groups.some(g => g.count > 1)) parts.push(tick("fold repetitions", state.fold, on => { state.fold = on; layouts.clear(); update(); fit(); }));
  byId("ticks").replaceChildren(...parts);
}

window.addEventListener("beforeprint", () => {
  stage.setAttribute("viewBox", `0 0 ${plan.width} ${plan.height}`);
  window.kept = {...camera};
  Object.assign(camera, {x: 0, y: 0, k: 1});
  paint(true, true);
});
window.addEventListener("afterprint", () => { stage.removeAttribute("viewBox"); Object.assign(camera, window.kept); paint(true); });
window.addEventListener("resize", () => paint(true));

cutIntoStretches();
openTo(99, START);
ticks();
update();
begin();
goTo(null);
document.body.dataset.ready = performance.now().toFixed(0); // milliseconds since the page was asked for
