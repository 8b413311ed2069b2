"""What is read of a file that somebody has handed in, whatever stands in it."""

import json

import pytest

from autograder.submissions.intake import read


@pytest.mark.parametrize("kind", [["code"], {}, None, 3, "video"])
def test_a_cell_of_no_known_kind_is_read_as_text(kind):
    cells = [{"cell_type": kind, "source": "x"}, {"cell_type": "code", "source": "y"}]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    notebook = read(data.encode(), [])
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
