"""The feedback page of a graded notebook: a summary, and the notebook made readable and inert."""

import html
import re
from pathlib import Path

from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.preprocessors import NbGraderPreprocessor
from pygments.formatters import HtmlFormatter

from autograder.course import folder_of
from autograder.judging import MIME, points_in_words
from autograder.submissions import (
    MAX_SOURCE,
    clean_html,
    exchange,
    inert_outputs,
    is_test,
    nbgrader,
    shortened,
)
from backprop_kit.checking.check import with_code

from .policy import POLICY, offences

TEMPLATES = Path(__file__).parent / "templates"


class FeedbackPage(NbGraderPreprocessor):
    """Before a feedback page is written: a summary, and nothing that is not for students.

    The hidden lines of the test cells go (they give nothing away, and explain nothing either), and
    so does the bare number by which nbgrader reads a score: the verdict says it in words. All
    other outputs are made inert, whenever and however they got into the notebook.
    """

    def preprocess(self, nb, resources):
        where = resources["nbgrader"]
        exchange.complete(folder_of(self, "feedback", where["student"], where["assignment"]))
        rows = []
        for cell in nb.cells:
            if cell.cell_type == "code" and is_test(cell):
                cell.source = HIDDEN_TESTS.sub("", cell.source).rstrip()
                verdicts = [
                    out["data"][MIME] for out in cell.outputs if MIME in out.get("data", {})
                ]
                rows.append((nbgrader(cell), verdicts[0] if verdicts else {}))
                cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
            elif cell.cell_type == "code":
                cell.outputs = inert_outputs(cell.outputs)
            cell.source = shortened(cell.source, MAX_SOURCE)
        repairs = nb.metadata.get("autograder", {}).get("repairs", [])
        nb.metadata.pop("widgets", None)
        resources["autograder"] = {
            "policy": POLICY,
            "code_style": HtmlFormatter().get_style_defs(".highlight"),
            "summary": _summary(rows, repairs, where),
        }
        return nb, resources


HIDDEN_TESTS = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


class FeedbackExporter(HTMLExporter):
    """The feedback page: nbconvert's, with a template of ours on which nothing acts.

    Whatever Markdown becomes is cleaned before it stands in the page. The page is looked at once
    more when it is done; one that a strict policy would object to is not written.
    """

    def default_filters(self):
        yield from super().default_filters()
        yield ("markdown2html", self.inert_markdown)

    def inert_markdown(self, source):
        """Markdown as HTML, without anything that acts, refers or is fetched."""
        renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))

    def from_notebook_node(self, nb, resources=None, **options):
        page, resources = super().from_notebook_node(nb, resources, **options)
        if found := offences(page):
            raise ValueError(f"this feedback page would not be inert: {'; '.join(found[:5])}")
        return page, resources


def _summary(rows, repairs, totals):
    """The feedback page's head: a row for each exercise, and what was repaired.

    rows: for each test cell its nbgrader metadata, with the score that stands in the gradebook,
    and its verdict. A person may have changed the score since; then the page says so.
    """
    lines = []
    for label, verdict in rows:
        score, most = label.get("score") or 0.0, label.get("points") or 0.0
        id = label["grade_id"].removeprefix("test_")
        words = with_code(verdict.get("message", "This exercise was not judged."))
        if verdict and abs(verdict["score"] - score) > 1e-6:
            words += f" <b>A person has changed these points (the tests: {verdict['score']:g}).</b>"
        lines.append(
            _row(
                "td",
                f"{'✔' if score >= most else '✘'}&nbsp;"
                f"<a href='#test_{html.escape(id)}'>{html.escape(id)}</a>",
                f"{score:g}&nbsp;of&nbsp;{most:g}",
                words,
            )
        )
    late = totals.get("late_penalty") or 0
    mended = "".join(f"<li>{html.escape(repair)}</li>" for repair in repairs)
    return (
        f"<h1>{html.escape(totals['notebook'])}: {max(0.0, totals['score']):g} of "
        f"{totals['max_score']:g} points</h1>"
        + (f"<p class='late'>{_taken_off(late)}</p>" if late else "")
        + f"<table>{_row('th', 'exercise', 'points', 'what the tests say')}{''.join(lines)}</table>"
        + (f"<p>Before grading, your notebook was repaired:</p><ul>{mended}</ul>" if mended else "")
    )


def _taken_off(points):
    return f"{points_in_words(points)} {'was' if points == 1 else 'were'} taken off for lateness."


def _row(tag, *cells):
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"
