"""Figures: pure functions from rows to {wide: {data, layout}, narrow: …} as plain dictionaries for Plotly.

Colours are names of the stylesheet ("var(--series-1)"), so that one figure serves both schemes.
"""
