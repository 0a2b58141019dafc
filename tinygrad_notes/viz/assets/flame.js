"use strict";
for (const svg of document.querySelectorAll("svg.tnflame")) {
  const boxes = [...svg.querySelectorAll(".tnf-box")], GAP = 1.5;
  const whole = {x: +boxes[0].dataset.x, w: +boxes[0].dataset.w};
  function show(from) {
    const scale = whole.w / from.w;
    for (const box of boxes) {
      const x = +box.dataset.x, w = +box.dataset.w, rect = box.querySelector("rect");
      const left = Math.max(whole.x, whole.x + (x - from.x) * scale);
      const right = Math.min(whole.x + whole.w, whole.x + (x + w - from.x) * scale);
      const inner = right - left - GAP;
      box.style.display = right - left < 0.4 ? "none" : "";
      rect.setAttribute("x", left);
      rect.setAttribute("width", Math.max(inner, 0.3));
      let label = box.querySelector("text");
      if (!label) {
        label = document.createElementNS("http://www.w3.org/2000/svg", "text");
        label.setAttribute("class", "tnf-label");
        if (box.classList.contains("tnf-bold")) label.setAttribute("font-weight", "600");
        label.setAttribute("y", +rect.getAttribute("y") + 16);
        box.append(label);
      }
      const room = Math.floor((inner - 10) / (box.classList.contains("tnf-bold") ? 7 : 6.4)), name = box.dataset.n, time = box.dataset.t;
      label.setAttribute("x", left + 6);
      label.textContent = name.length + time.length + 2 <= room ? `${name}\u00a0 ${time}`
        : name.length <= room ? name : room > 3 ? name.slice(0, room - 1) + "…" : "";
    }
  }
  for (const box of boxes) {
    const open = () => show({x: +box.dataset.x, w: +box.dataset.w});
    box.tabIndex = 0;
    box.style.cursor = "pointer";
    box.addEventListener("click", open);
    box.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); }
      if (event.key === "Escape") show(whole);
    });
  }
}
