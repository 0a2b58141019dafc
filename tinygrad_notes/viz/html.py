"""A graph as one page."""
from __future__ import annotations

from html import escape


def page(graph):
    """The page: the picture, without a server or a network."""
    title = escape(f"Graph of {graph.facts.title}" if graph.facts.title else "Graph")
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>'
    return f'{head}<body>{graph.svg()}</body></html>\n'


def frame(graph):
    """What a notebook shows."""
    return graph.svg()
