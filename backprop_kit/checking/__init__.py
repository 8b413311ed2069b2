"""Checking: is an answer right, and if not, why?

`exercise` says what an exercise is and lets the engine answer it, `observe` calls a student's
function, and `compare` holds one call against what was expected. `diagnose` looks at all calls
together and names the cause, among those of `causes`, by trying the `slips` that would give the
same numbers. `gradcheck` does the same for any function, by finite `differences`: its `subjects`
are functions and layers, and `gradient_causes` asks `diagnose`. `check` is what a student calls
and reads.
"""
