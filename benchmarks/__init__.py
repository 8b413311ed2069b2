"""How long and how much memory the engine takes, against hand-written NumPy and its peers."""
