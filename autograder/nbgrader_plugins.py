"""What nbgrader loads by name: the steps that repair and judge, the feedback page, the export.

`course/nbgrader_config.py` names them at nbgrader's own configuration points; nothing of nbgrader
is replaced behind its back. The work is done in the rooms; a step here says how nbgrader calls it.
"""

import nbformat
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

from autograder.course import CourseError, folder_of
from autograder.reporting import TEMPLATES, ExportMarks, FeedbackExporter, FeedbackPage
from autograder.running import JudgedSession
from autograder.submissions import exchange, mend, secret_of

__all__ = [
    "TEMPLATES",
    "ExportMarks",
    "FeedbackExporter",
    "FeedbackPage",
    "JudgedExecute",
    "RepairSubmission",
]


class RepairSubmission(NbGraderPreprocessor):
    """The first sanitising step: restore what the release says must be there.

    Files that were sent along go no further than `submitted/`: nbgrader has copied them here, where
    a notebook could import them and from where they would reach the feedback. (It has followed
    links: what goes by the name of the exchange's secret must look like one.)
    """

    works_on_folders = True  # of nbgrader's autograde; where there are none, `mend` does the rest

    def preprocess(self, nb, resources):
        where = resources["nbgrader"]
        released = self._release(where)
        self._leave_out_files(where, released.parent)
        for sentence in mend(nb, nbformat.read(released, as_version=4)):
            self.log.warning("%s: %s", where["student"], sentence)
        return nb, resources

    def _release(self, where):
        folder = folder_of(self, "release", ".", where["assignment"])
        path = folder / f"{where['notebook']}.ipynb"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: release the lesson first "
                f"(`autograder release {where['assignment']}`)."
            )
        return path

    def _leave_out_files(self, where, released):
        folder = folder_of(self, "autograded", where["student"], where["assignment"])
        kept = {folder / exchange.TIMESTAMP}
        if secret_of(folder):
            kept.add(folder / exchange.SECRET)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept and not _is_released(path.relative_to(folder), released):
                self.log.warning("%s: left out the file %s", where["student"], path.name)
                path.unlink()


def _is_released(path, released):
    """Whether the release holds such a file, or the file is a notebook, which nbgrader handles."""
    return path.suffix == ".ipynb" or (released / path).is_file()


class JudgedExecute(JudgedSession, Execute):
    """Run the notebook; where a test cell stands, ask the judge instead of running it."""

    def preprocess(self, nb, resources, km=None):
        """Run and judge; `resources["autograder"]["verdicts"]` are the verdicts, {id: dict}."""
        resources = resources or {}
        here = {**resources, "metadata": dict(resources.get("metadata", {}))}
        self._begun = False
        self.begin(own=nb.metadata.get("autograder", {}).get("own", []))
        try:
            super().preprocess(nb, here, km)
        except Exception as error:
            if self._begun or isinstance(error, CourseError):
                raise
            # No student code has run yet: it is the machine's fault, and would be everybody's zero.
            raise CourseError(
                f"no kernel could be started here ({error}); `autograder doctor` may say why."
            ) from error
        finally:
            self.end()
        return nb, {**resources, "autograder": {"verdicts": self.speak(nb)}}

    def preprocess_cell(self, cell, resources, index):
        self._begun = True
        self.run_or_judge(cell, index)
        return cell, resources

    def hidden(self):
        """The course's folder, as nbgrader's own autograde knows it where that runs this step."""
        return [self.parent.parent.coursedir.root] if self.parent else super().hidden()
