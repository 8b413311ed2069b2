"""Honest work with an accident in it, which must cost what is wrong and nothing more."""

import copy

from attacks.base import cell_of, entry, place_of

FULL = "All answers are right; the accident changes none of them."
LOST = "An honest answer loses points."


def unlucky(name, why=FULL, never=LOST, **options):
    entry(name, why, never=never, hostile=False, **options)


def cell(name, source, why=FULL):
    """All answers right, and this in a cell of its own in front of them."""
    unlucky(name, why, first=source)


ADD_MUL = "def add_mul(x, y, z):\n    q = x + y\n    return q * z, z, z, q\n"
FAN_OUT = "def fan_out(x, y):\n    return x * y + x * x, y + 2 * x, x\n"

# ---------------------------------------------------------------- cells of one's own

cell("prints", "for step in range(20):\n    print('step', step)")
cell("prints_to_stderr", "import sys\n\nprint('RuntimeWarning: overflow', file=sys.stderr)")
cell("warns", "import warnings\n\nwarnings.warn('careful')\nnp.exp(1000.0)\nnp.float64(1) / 0")
cell("ends_in_zero", "0.0")
cell("plots", "import matplotlib.pyplot as plt\n\nplt.plot([1, 2, 3])\nplt.show()")
cell("progress_bar", "from tqdm.auto import tqdm\n\nfor _ in tqdm(range(5)):\n    pass")
cell("missing_package", "import seaborn as sns\n\nsns.set_theme()")
cell("missing_backend", "%matplotlib widget")
cell("asks_for_input", "name = input('Your name? ')")
cell("shell_line", "!ls -la\n!git status")
cell("bash_cell", "%%bash\necho hello\nexit 3")
cell("installs_a_package", "%pip install --quiet torch\n!pip install numpy==1.20\nimport os")
cell("colab_drive", "from google.colab import drive\n\ndrive.mount('/content/drive')")
cell("changes_folder", "import os\n\nos.makedirs('mine', exist_ok=True)\nos.chdir('mine')")
cell("reads_a_file_of_its_own", "open('notes.txt').read()")
cell("error_before_everything", "1 / 0")
cell("syntax_error_of_its_own", "def half(x)\n    return x / 2")
cell("clears_output", "from IPython.display import clear_output\n\nprint('x')\nclear_output()")
cell("debugger", "%debug\n%pdb on")
cell("widget", "from ipywidgets import interact\n\ninteract(lambda x: x, x=(0, 10))")
unlucky(
    "warnings_as_errors",
    first="import warnings\n\nwarnings.simplefilter('error')\nnp.seterr(all='raise')",
)
unlucky(
    "numpy_prints_differently",
    first="np.set_printoptions(precision=1)\nnp.random.seed(0)\nnp.seterr(all='ignore')",
)
unlucky(
    "deletes_names",
    "What is deleted after the tests is not missed by them.",
    last="del np, Tensor, check, add_mul, gates",
)
unlucky("resets_at_the_end", "The tests stand before it.", last="%reset -f")
unlucky(
    "redefined_at_the_end",
    "What counts is the answer that stands where its test is.",
    last="def add_mul(x, y, z):\n    return None\n",
)
unlucky(
    "resets_before_everything",
    "A reset takes the imports away that two exercises need; a test alone cannot bring them back.",
    first="%reset -f",
    fair={"gates": 1.5, "sigmoid_neuron": 0.0, "exp_model": 0.0, "descend": 0.0},
)

# ---------------------------------------------------------------- answers

unlucky(
    "warns_in_its_answer",
    answers={
        "add_mul": "import sys\nimport warnings\n\n"
        + ADD_MUL.replace(
            "q = x + y", "warnings.warn('hm')\n    print(x, file=sys.stderr)\n    q = x + y"
        )
    },
)
unlucky("prints_in_its_answer", answers={"fan_out": FAN_OUT.replace("return", "print(x); return")})
unlucky("answer_ends_in_zero", answers={"fan_out": f"{FAN_OUT}\nfan_out(1.0, 1.0)[0] - 2\n0.0\n"})
unlucky("tabs", answers={"fan_out": FAN_OUT.replace("    ", "\t")})
unlucky(
    "tabs_and_spaces",
    "Python cannot read the cell; the other answers are right.",
    fair={"add_mul": 0.0},
    answers={"add_mul": "def add_mul(x, y, z):\n\tq = x + y\n        return q * z, z, z, q\n"},
)
unlucky(
    "decimal_comma",
    "1,0 is two numbers; the other three gates are right.",
    fair={"gates": 1.5},
    edit=lambda notebook: _replace(notebook, "gates", "return 1.0", "return 1,0"),
)
unlucky(
    "missing_colon",
    "Python cannot read the cell; the other answers are right.",
    fair={"fan_out": 0.0},
    answers={"fan_out": FAN_OUT.replace(":", "", 1)},
)
unlucky(
    "missing_package_in_an_answer",
    "Its first line fails and nothing is defined; the verdict names the line's error.",
    fair={"fan_out": 0.0},
    answers={"fan_out": f"import seaborn\n\n{FAN_OUT}"},
)
unlucky(
    "package_for_nothing",
    "The import that fails stands behind the answer.",
    answers={"fan_out": f"{FAN_OUT}\nimport seaborn\n"},
)
unlucky(
    "asks_for_input_in_its_answer",
    "Nobody is there to answer, so that it returns nothing.",
    fair={"fan_out": 0.0},
    answers={"fan_out": "def fan_out(x, y):\n    return float(input())\n"},
)
unlucky(
    "arrays_without_axes",
    "The right numbers are right in arrays of one entry.",
    answers={
        "add_mul": ADD_MUL.replace("q * z, z, z, q", "tuple(np.array(v) for v in (q * z, z, z, q))")
    },
)
unlucky(
    "stub_left_below",
    "The line that raises stands behind the return.",
    answers={"fan_out": f"{FAN_OUT}    raise NotImplementedError()\n"},
)
unlucky(
    "blank_but_one",
    "One answer is there, and it is right.",
    fair=dict.fromkeys(
        ("gates", "sigmoid_neuron", "d_sigmoid", "exp_model", "fan_out", "wrong_claims", "descend"),
        0.0,
    ),
    answers={
        "gates": "def d_exp(x):\n    raise NotImplementedError()\n",
        "sigmoid_neuron": "def sigmoid_neuron(*args):\n    raise NotImplementedError()\n",
        "d_sigmoid": "def d_sigmoid(f):\n    raise NotImplementedError()\n",
        "exp_model": "def exp_model(*args):\n    raise NotImplementedError()\n",
        "fan_out": "def fan_out(x, y):\n    raise NotImplementedError()\n",
        "wrong_claims": "def wrong_claims():\n    raise NotImplementedError()\n",
        "descend": "def descend(*args):\n    raise NotImplementedError()\n",
    },
)
unlucky(
    "helper_of_its_own",
    first="def double(x):\n    return 2 * x\n",
    answers={"fan_out": FAN_OUT.replace("2 * x", "double(x)")},
)
unlucky(
    "keeps_a_count",
    "A global variable beside a right answer is bad style and costs nothing.",
    answers={
        "fan_out": "calls = 0\n\n\n"
        + FAN_OUT.replace("    return", "    global calls\n    calls += 1\n    return")
    },
)


def _replace(notebook, id, old, new):
    found = cell_of(notebook, id)
    assert old in found.source
    found.source = found.source.replace(old, new)


# ---------------------------------------------------------------- where the answer stands


def _swapped(notebook):
    one, other = cell_of(notebook, "add_mul"), cell_of(notebook, "fan_out")
    one.source, other.source = other.source, one.source


def _twice(notebook):
    first = copy.deepcopy(cell_of(notebook, "fan_out"))
    first.source, first.id = "def fan_out(x, y):\n    return 0.0, 0.0, 0.0\n", "earlier"
    notebook.cells.insert(place_of(notebook, "fan_out"), first)


unlucky("answers_in_each_others_cells", "Both are there; each is found by its code.", edit=_swapped)
unlucky("answered_twice", "The last one that was written counts.", edit=_twice)
