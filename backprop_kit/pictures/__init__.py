"""Pictures: look at a computation, and at numbers.

`trace` keeps what a computation was made of, `layout` says where each node goes, `picture` draws
the graph and `stepper` walks through it. `figures` is the one style of all plots, each with its
alternative text; `sliders` are plots that a reader moves, and `live` has a picture in reserve
where no widget runs.
"""
