"""Things to operate in a notebook: a widget where one runs, elsewhere a picture in its place.

The output of a cell holds both. JupyterLab and Colab take the widget; an HTML export, GitHub's
viewer or a Python without ipywidgets take the picture.
"""

WIDGET = "application/vnd.jupyter.widget-view+json"


class Live:
    """A widget with a picture in reserve.

    box   an ipywidgets widget (7.7 or 8), or None
    """

    box = None

    def html(self):
        """The picture that stands in the widget's place."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": str(self), "text/html": self.html()}
        if self.box is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
            bundle[WIDGET] = view
        return bundle


def widgets():
    """The ipywidgets module, or None where there is none."""
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets
