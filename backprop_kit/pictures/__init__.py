"""Pictures: look at a computation, and at numbers.

`trace` keeps what a computation was made of. `picture` draws it: `graph` makes vertices of it,
`notation` says how each is written, `boxes` how large that is, `layout` where it goes, and `svg`
draws the lines. `stepper` walks through the graph. `figures` is the one style of all plots, each
with its alternative text; `sliders` are plots that a reader moves, and `live` has a picture in
reserve where no widget runs.
"""
