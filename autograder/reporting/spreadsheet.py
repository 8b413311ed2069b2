"""All marks as one table, for a spreadsheet or a learning platform."""

import csv
from collections.abc import Mapping
from types import MappingProxyType

from nbgrader.plugins import ExportPlugin

from autograder.course import gradebook
from autograder.grading import load_marks


class ExportMarks(ExportPlugin):
    """`nbgrader export --exporter autograder.nbgrader_plugins.ExportMarks`: one row a student.

    flags: {lesson: {student: sentences}}, what a person should look at. The gradebook does not know
    it; `autograder export` does.
    """

    flags: Mapping = MappingProxyType({})

    def export(self, gradebook):
        """Write a CSV: a row for each student, a column for each exercise, a total a lesson."""
        rows, columns = {}, ["student"]
        for assignment in sorted(gradebook.assignments, key=lambda a: a.name):
            if self.assignment and assignment.name not in self.assignment:
                continue
            for submission in sorted(assignment.submissions, key=lambda s: s.student_id):
                student = submission.student_id
                if self.student and student not in map(str, self.student):
                    continue
                row = rows.setdefault(student, {"student": student})
                for notebook in submission.notebooks:
                    for grade in notebook.grades:
                        row[f"{assignment.name}:{grade.name.removeprefix('test_')}"] = grade.score
                penalty = submission.late_submission_penalty
                row[f"{assignment.name}:raw_score"] = submission.score
                row[f"{assignment.name}:late_seconds"] = submission.total_seconds_late
                row[f"{assignment.name}:late_penalty"] = penalty
                row[f"{assignment.name}:score"] = max(0.0, submission.score - penalty)
                row[f"{assignment.name}:max"] = submission.max_score
                if (flags := self.flags.get(assignment.name)) is not None:
                    row[f"{assignment.name}:flags"] = "; ".join(flags.get(student, ()))
                columns += [key for key in row if key not in columns]
        with open(self.to or "marks.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows.values())


def export(course, path):
    """Write all marks of the gradebook, and what was flagged, to a CSV file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exporter = ExportMarks(to=str(path))
    exporter.flags = {
        lesson: {student: mark["flags"] for student, mark in marks.items()}
        for lesson, marks in load_marks(course).items()
    }
    with gradebook(course) as opened:
        exporter.export(opened)
    return path
