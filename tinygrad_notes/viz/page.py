"""Pages of HTML that need nothing but themselves: style and script inside, every text escaped."""
from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from .curves import plot_curves, smoothed
from .embed import asset, json_in_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Nothing is fetched from anywhere; frames hold only what is written in the page.
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
          "frame-src 'self' about:; base-uri 'none'")


class Page:
    """A page that is filled section by section.

    Args:
        title: its name.
        subtitle: a line below.
        badge: a word beside the title, and its tone: ("finished", "good"), also "bad" and "odd".
    """

    def __init__(self, title, subtitle="", badge=None):
        self.title, self.subtitle, self.badge, self.sections = title, subtitle, badge, []

    def section(self, title, *parts):
        """Add a section of pieces of HTML; without pieces nothing."""
        found = [part for part in parts if part]
        if found:
            self.sections.append((title, found))

    def html(self, foot=""):
        """The whole page as text."""
        badge = f'<span class="badge {escape(self.badge[1])}">{escape(self.badge[0])}</span>' if self.badge else ""
        links = "".join(f'<a href="#s{k}">{escape(title)}</a>' for k, (title, _) in enumerate(self.sections))
        body = "".join(f'<section id="s{k}"><h2>{escape(title)}</h2>{"".join(parts)}</section>\n'
                       for k, (title, parts) in enumerate(self.sections))
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>{escape(self.title)}</title><link rel="icon" href="data:,">'
            f'<style>{asset("report.css")}</style></head>\n'
            f'<body><header><div><h1>{escape(self.title)}{badge}</h1><p>{escape(self.subtitle)}</p></div></header>\n'
            f'<nav><div>{links}<button type="button" class="theme">light / dark</button></div></nav>\n<main>\n{body}'
            f'<footer>{escape(foot)}</footer></main>\n<script>{asset("report.js")}</script></body></html>\n')


def cards(rows: Iterable[tuple[str, Any, str]]) -> str:
    """Figures in large type: (name, value, tone) each, tone "" or "good", "bad", "odd"."""
    return '<div class="cards">' + "".join(
        f'<div class="card"><b class="{escape(tone)}">{escape(str(value))}</b><span>{escape(name)}</span></div>'
        for name, value, tone in rows) + "</div>"


def table(rows: Sequence[Sequence[Any]], head: Sequence[str] = (), numbers: Sequence[int] = ()) -> str:
    """Rows of texts; without a head, the first cell of each names the row.

    Args:
        rows: cells; a pair (text, tone) is colored.
        head: texts above the columns.
        numbers: columns that are set to the right.
    """
    def cell(k, content):
        text, tone = content if isinstance(content, tuple) else (content, "")
        tag = "th" if not head and k == 0 else "td"
        style = " ".join(filter(None, ["n" if k in numbers else "", tone]))
        return f'<{tag}{f" class={chr(34)}{escape(style)}{chr(34)}" if style else ""}>{escape(str(text))}</{tag}>'
    top = "".join(f'<th{" class=n" if k in numbers else ""}>{escape(text)}</th>' for k, text in enumerate(head))
    body = "".join("<tr>" + "".join(cell(k, c) for k, c in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="sheet"><table>{f"<tr>{top}</tr>" if top else ""}{body}</table></div>'


def chart(curves: Mapping[str, Any], title: str = "", xlabel: str = "epoch", ylabel: str = "",
          logy: bool = False) -> str:
    """Curves that can be read off, smoothed and put on a logarithmic scale; without script, the picture of them.

    Raises:
        ValueError: no curve has a point.
    """
    still = plot_curves(curves, title, xlabel, ylabel, logy)
    pairs = {name: smoothed(name, curve, 0) for name, curve in curves.items()}
    finite = lambda values: [v if math.isfinite(v) else None for v in values]
    data = {"title": title, "xlabel": xlabel, "ylabel": ylabel, "logy": logy,
            "series": [{"name": name, "x": x, "y": finite(y)} for name, (x, y) in pairs.items()]}
    return (f'<figure class="chart">{still.svg()}<script type="application/json">{json_in_script(data)}</script>'
            '</figure>')


def figure(svg: str, caption: str = "", style: str = "") -> str:
    """An SVG picture, which is not escaped, with a caption, which is.

    Args:
        svg: text of the picture.
        style: "wide" for what may be larger than the page, "field" for fields of color that are light where empty.
    """
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{escape(style)}">{svg[svg.index("<svg"):]}{below}</figure>'


def grid(figures: Sequence[str], small: bool = False, most: int | None = None) -> str:
    """Figures side by side; more than `most` are folded away."""
    style = "grid small" if small else "grid"
    if most is not None and len(figures) > most:
        return (f'<div class="{style}">{"".join(figures[:most])}</div><details><summary>{len(figures) - most} more'
                f'</summary><div class="{style}">{"".join(figures[most:])}</div></details>')
    return f'<div class="{style}">{"".join(figures)}</div>' if figures else ""


def frames(pictures: Mapping[str, str]) -> str:
    """{what it shows: SVG} of several times, with a slider between them; without script, one after the other."""
    parts = "".join(f'<div role="group" aria-label="{escape(caption)}">{figure(svg, "", "wide")}</div>'
                    for caption, svg in pictures.items())
    return f'<div class="frames">{parts}</div>' if parts else ""


def framed(html: str, title: str, still: str) -> str:
    """Another whole page in a frame that can reach nothing of this one; on paper, the picture `still`."""
    return (f'<iframe sandbox="allow-scripts" title="{escape(title)}" srcdoc="{escape(html)}"></iframe>'
            f'{figure(still, "", "wide paperonly")}')


def note(text: str) -> str:
    """A line of explanation."""
    return f'<p class="note">{escape(text)}</p>'


def block(text: str) -> str:
    """Text as it is, such as a report or a command."""
    return f"<pre>{escape(text)}</pre>"
