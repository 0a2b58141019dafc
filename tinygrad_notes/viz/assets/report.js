"use strict";
(() => {
  const NS = "http://www.w3.org/2000/svg", DASHES = ["", "6 3", "2 2", "8 3 2 3", "1 3", "10 4"];
  const W = 560, H = 290, LEFT = 56, RIGHT = 12, TOP = 8, BOTTOM = 38;
  const make = (tag, attributes, parent, text) => {
    const node = tag[0] === "<" ? document.createElement(tag.slice(1)) : document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  };
  const short = v => v === 0 ? "0" : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-4 ? v.toExponential(2)
    : String(+v.toPrecision(4));
  const color = k => `var(--s${k % 10})`;

  function ticks(low, high, log) {
    const found = [];
    if (log) {
      for (const digits of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
        found.length = 0;
        for (let p = Math.floor(low); p <= Math.ceil(high); p++)
          for (const d of digits) {
            const at = Math.log10(d) + p;
            if (at >= low - 1e-9 && at <= high + 1e-9) found.push([at, short(d * 10 ** p)]);
          }
        if (found.length >= 3) break;
      }
      while (found.length > 8) for (let k = found.length - 1; k > 0; k -= 2) found.splice(k, 1);
      return found;
    }
    const power = 10 ** Math.floor(Math.log10((high - low) / 5));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= (high - low) / 5 * (1 - 1e-9));
    for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k++)
      found.push([k * step, short(+(k * step).toPrecision(10))]);
    return found;
  }

  function averaged(values, share) {
    let mean = 0, weight = 0;
    return values.map(v => {
      if (v === null) return null;
      mean = share * mean + (1 - share) * v;
      weight = share * weight + 1 - share;
      return mean / weight;
    });
  }

  function chart(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const hidden = new Set();
    let log = data.logy, share = 0, cursor = null, drawn = [];
    figure.querySelector("svg").remove();
    const top = make("<div", {class: "top"}, figure);
    make("<strong", {}, top, data.title);
    const smoothing = make("<label", {}, top, "smooth ");
    const slider = make("<input", {type: "range", min: 0, max: 0.98, step: 0.02, value: 0}, smoothing);
    const scale = make("<label", {}, top);
    const box = make("<input", {type: "checkbox"}, scale);
    box.checked = log;
    scale.append("log");
    const key = make("<div", {class: "key"}, figure);
    data.series.forEach((series, k) => {
      const button = make("<button", {type: "button", "aria-pressed": "true"}, key);
      const sign = make("svg", {width: 20, height: 8}, button);
      make("path", {d: "M0 4h20", "stroke-width": 2, "stroke-dasharray": DASHES[k % 6], style: `stroke:${color(k)}`}, sign);
      button.append(series.name);
      button.addEventListener("click", () => {
        hidden.has(k) ? hidden.delete(k) : hidden.add(k);
        button.setAttribute("aria-pressed", String(!hidden.has(k)));
        draw();
      });
    });
    const svg = make("svg", {class: "live", viewBox: `0 0 ${W} ${H}`, tabindex: 0, role: "img",
      "aria-label": `${data.title}: ${data.series.map(s => s.name).join(", ")}`}, figure);
    const tip = make("<div", {class: "tip", hidden: ""}, figure);
    let xAt, yAt;

    function draw() {
      svg.replaceChildren();
      drawn = data.series.map((s, k) => ({k, name: s.name, x: s.x, raw: s.y, y: share ? averaged(s.y, share) : s.y}))
        .filter(s => !hidden.has(s.k));
      const fits = v => v !== null && (!log || v > 0), f = v => log ? Math.log10(v) : v;
      const xs = drawn.flatMap(s => s.x.filter((_, i) => fits(s.y[i])));
      const ys = drawn.flatMap(s => s.y.filter(fits).map(f));
      if (!xs.length) {
        make("text", {x: W / 2, y: H / 2, "text-anchor": "middle", class: "faint"}, svg, "nothing to draw");
        tip.hidden = true;
        return;
      }
      const span = values => {
        let low = Infinity, high = -Infinity;
        for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
        if (high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high))) {
          const pad = low && !log ? Math.abs(low) / 2 : 0.5;
          low -= pad; high += pad;
        }
        return [low, high];
      };
      const [x0, x1] = span(xs);
      let [y0, y1] = span(ys);
      const air = 0.04 * (y1 - y0);
      y0 -= air; y1 += air;
      xAt = v => LEFT + (v - x0) / (x1 - x0) * (W - LEFT - RIGHT);
      yAt = v => H - BOTTOM - (f(v) - y0) / (y1 - y0) * (H - BOTTOM - TOP);
      for (const [at, text] of ticks(y0, y1, log)) {
        const y = H - BOTTOM - (at - y0) / (y1 - y0) * (H - BOTTOM - TOP);
        make("path", {d: `M${LEFT} ${y}H${W - RIGHT}`, class: "rule"}, svg);
        make("text", {x: LEFT - 6, y: y + 4, "text-anchor": "end", class: "faint"}, svg, text);
      }
      for (const [at, text] of ticks(x0, x1, false))
        make("text", {x: xAt(at), y: H - BOTTOM + 16, "text-anchor": "middle", class: "faint"}, svg, text);
      make("path", {d: `M${LEFT} ${H - BOTTOM}H${W - RIGHT}`, class: "axis"}, svg);
      make("text", {x: (LEFT + W - RIGHT) / 2, y: H - 6, "text-anchor": "middle", class: "faint"}, svg, data.xlabel);
      if (data.ylabel)
        make("text", {transform: `translate(11 ${(TOP + H - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle",
          class: "faint"}, svg, data.ylabel);
      const line = (s, y, style) => {
        let path = "", pen = "M", lone = true;
        y.forEach((v, i) => {
          if (!fits(v)) { pen = "M"; return; }
          path += `${pen}${xAt(s.x[i]).toFixed(2)} ${yAt(v).toFixed(2)}`;
          lone = lone && !path.includes("L");
          if (y.length === 1 || (!fits(y[i - 1] ?? null) && !fits(y[i + 1] ?? null)))
            make("circle", {cx: xAt(s.x[i]), cy: yAt(v), r: 2.5, style: `fill:${color(s.k)}`}, svg);
          pen = "L";
        });
        make("path", {d: path || "M0 0", fill: "none", "stroke-width": 1.7, "stroke-dasharray": DASHES[s.k % 6],
          "stroke-linejoin": "round", style: `stroke:${color(s.k)};${style}`}, svg);
      };
      if (share) for (const s of drawn) line(s, s.raw, "opacity:.22");
      for (const s of drawn) line(s, s.y, "");
      point();
    }

    function point() {
      svg.querySelectorAll(".cursor").forEach(node => node.remove());
      tip.hidden = cursor === null || !drawn.length;
      if (tip.hidden) return;
      const group = make("g", {class: "cursor"}, svg);
      make("path", {d: `M${xAt(cursor)} ${TOP}V${H - BOTTOM}`, class: "axis", "stroke-dasharray": "2 3"}, group);
      tip.replaceChildren(make("<div", {}, null, `${data.xlabel} ${short(cursor)}`));
      for (const s of drawn) {
        const i = s.x.indexOf(cursor);
        if (i < 0 || s.y[i] === null || (log && s.y[i] <= 0)) continue;
        make("circle", {cx: xAt(cursor), cy: yAt(s.y[i]), r: 3.5, style: `fill:${color(s.k)}`}, group);
        const row = make("<div", {}, tip);
        make("<i", {style: `background:${color(s.k)}`}, row);
        row.append(`${s.name}: ${short(s.y[i])}`);
      }
      const room = svg.getBoundingClientRect(), home = figure.getBoundingClientRect();
      const x = room.left - home.left + xAt(cursor) / W * room.width;
      const left = x + 12 + tip.offsetWidth > home.width ? x - 12 - tip.offsetWidth : x + 12;
      tip.style.left = `${Math.max(left, 2)}px`;
      tip.style.top = `${room.top - home.top + 12}px`;
    }

    const places = () => [...new Set(drawn.flatMap(s => s.x))].sort((a, b) => a - b);
    svg.addEventListener("pointermove", event => {
      const room = svg.getBoundingClientRect(), all = places();
      if (!all.length) return;
      const at = (event.clientX - room.left) / room.width * W;
      cursor = all.reduce((best, x) => Math.abs(xAt(x) - at) < Math.abs(xAt(best) - at) ? x : best);
      point();
    });
    svg.addEventListener("pointerleave", () => { cursor = null; point(); });
    svg.addEventListener("blur", () => { cursor = null; point(); });
    svg.addEventListener("keydown", event => {
      const move = {ArrowLeft: -1, ArrowRight: 1}[event.key], all = places();
      if (!move || !all.length) return;
      const k = cursor === null ? (move > 0 ? -1 : all.length) : all.indexOf(cursor);
      cursor = all[Math.min(Math.max(k + move, 0), all.length - 1)];
      point();
      event.preventDefault();
    });
    slider.addEventListener("input", () => { share = +slider.value; draw(); });
    box.addEventListener("change", () => { log = box.checked; draw(); });
    draw();
  }

  function frames(holder) {
    const all = [...holder.children];
    if (all.length < 2) return;
    holder.dataset.live = "";
    const slider = make("<input", {type: "range", min: 0, max: all.length - 1, value: all.length - 1,
      "aria-label": "time"});
    holder.prepend(slider);
    const show = () => all.forEach((node, k) => node.classList.toggle("shown", k === +slider.value));
    slider.addEventListener("input", show);
    show();
  }

  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll(".frames").forEach(frames);
  const theme = document.querySelector("button.theme");
  if (theme) theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
