// Step by step: the forward pass in the order in which it ran, then the backward pass in the order the engine takes.

const steps = nodes.filter(n => !LEAVES.has(n.role) && n.role !== "output").map(n => n.number);
const stepOf = new Map(steps.map((k, i) => [k, i]));
const derivative = new Set(layersThere.filter(l => l !== "forward" && l !== "update"));
// What must have arrived before the rules of a node can run: the givers of its cotangents, through a "+" if there is one.
const givers = new Map();
for (const k of steps) {
  if (!derivative.has(nodes[k].layer) || nodes[k].role === "sum") continue;
  const found = into[k].filter(e => e.kind === "gradient").flatMap(e => nodes[e.source].role === "sum" ? into[e.source].filter(i => i.kind === "gradient") : [e]);
  if (found.length) givers.set(k, found.map(e => e.source));
}

function arrived(k) { // [cotangents that have arrived, all of them] when the present step is running
  const now = state.step, given = givers.get(k);
  return given ? [given.filter(g => !stepOf.has(g) || stepOf.get(g) < now).length, given.length] : [0, 0];
}

function waiting() { // nodes of the present layer that have a cotangent and have not run
  const now = steps[state.step];
  if (now === undefined || !derivative.has(nodes[now].layer)) return [];
  return [...givers.keys()].filter(k => nodes[k].layer === nodes[now].layer && stepOf.get(k) > state.step && arrived(k)[0] > 0);
}

let queue = new Map(); // node -> [arrived, of]
function isCurrent(box) { return state.step !== null && box.members.includes(steps[state.step]); }

function stepClass(box) {
  if (isCurrent(box)) return "now";
  if (box.members.some(k => queue.has(k))) return "waiting";
  const last = Math.max(...box.members.map(k => stepOf.has(k) ? stepOf.get(k) : -1));
  return last < state.step ? "done" : "later";
}

function waitingText(box) {
  const k = box.members.find(m => queue.has(m));
  if (k !== undefined) { const [a, n] = queue.get(k); return `${a}/${n}`; }
  const now = steps[state.step];
  return isCurrent(box) && givers.has(now) && box.node ? `${givers.get(now).length}/${givers.get(now).length}` : "";
}

function goTo(step, follow = true) {
  state.step = step === null ? null : Math.max(0, Math.min(steps.length - 1, step));
  queue = new Map(state.step === null ? [] : waiting().map(k => [k, arrived(k)]));
  if (state.step !== null && follow) reveal(steps[state.step], false);
  paint(true);
  tellStep();
  tell();
}

function name(k) { const n = nodes[k]; return (n.role === "operation" ? layerSign(n.layer) : "") + n.label + (n.module ? ` (${n.module})` : ""); }

function tellStep() {
  const out = document.getElementById("told"), slider = document.getElementById("slider");
  slider.value = state.step === null ? 0 : state.step + 1;
  document.body.classList.toggle("stepping", state.step !== null);
  if (state.step === null) { out.textContent = `${steps.length} steps: the forward pass, then the backward pass as the engine takes it`; return; }
  const k = steps[state.step], n = nodes[k];
  const same = steps.filter(s => nodes[s].layer === n.layer), at = same.indexOf(k) + 1;
  let text = `${n.layer}, step ${at} of ${same.length}: ${name(k)}`;
  if (derivative.has(n.layer)) {
    const rules = outOf[k].filter(e => e.kind === "gradient" && e.formula).map(e => e.formula);
    if (n.role === "sum") text += ` — ${into[k].length} cotangents add up here`;
    else if (rules.length) text += ` — gives ${rules.slice(0, 3).join(", ")}`;
    const given = givers.get(k);
    if (given && given.length > 1 && n.role !== "sum") text += `; all ${given.length} cotangents of it have arrived`;
    const rest = [...queue];
    text += rest.length ? `. Waiting: ${rest.slice(0, 4).map(([w, [a, m]]) => `${name(w)} ${a}/${m}`).join(", ")}${rest.length > 4 ? ` and ${rest.length - 4} more` : ""}` : ". Nothing waits";
    const short = rest.find(([, [a, m]]) => a < m);
    if (short) text += `. ${name(short[0])} must wait: run now, it would miss ${short[1][1] - short[1][0]} of its cotangents. That is why the order is topological, latest first`;
  }
  out.textContent = text;
}
