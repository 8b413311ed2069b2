"""The course's nbgrader configuration; plain `nbgrader` commands in this folder use it.

It names our preprocessors, at nbgrader's own configuration points: `RepairSubmission` mends a
submission before anything reads it, and `JudgedExecute` runs the notebook and lets the judge,
outside the student's kernel, decide what each test cell is worth; `FeedbackPage` and
`FeedbackExporter` make the pages that students get readable and inert.
"""

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from autograder.nbgrader_plugins import (
    TEMPLATES,
    FeedbackExporter,
    FeedbackPage,
    JudgedExecute,
    RepairSubmission,
)

c = get_config()  # noqa: F821  (given by nbgrader)

c.CourseDirectory.course_id = "backprop-course"
# The Markdown sources hold the solutions: they are never copied to students or submissions.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.md"]

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}

c.Autograde.sanitize_preprocessors = [
    RepairSubmission,
    ClearOutput,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
# Student code runs in a sandbox if this machine can make one. For a real class say "require": then
# nothing is graded without one.
c.JudgedExecute.sandbox = "auto"

c.Autograde.autograde_preprocessors = [
    JudgedExecute,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
# Pages on which nothing acts and for which nothing is fetched.
c.GenerateFeedback.preprocessors = [GetGrades, FeedbackPage]
c.GenerateFeedback.exporter_class = FeedbackExporter
c.FeedbackExporter.template_name = "inert"
c.FeedbackExporter.extra_template_basedirs = [str(TEMPLATES)]
