"""Where what is made for a reader is shown."""

import sys


def display(thing):
    """Show in a notebook; elsewhere print the words."""
    ipython = sys.modules.get("IPython")
    if ipython and ipython.get_ipython():
        from IPython.display import display as show

        show(thing)
    else:
        print(thing)
