"""Where the nodes and edges of a picture go: layers from left to right, nothing on top of anything.

The method is Sugiyama's (1981), in its plain form. Each node stands in the column after its last
argument; a line that passes columns gets a place of its own in each (a *passage*); the order
within a column is improved by barycentres as long as crossings disappear; heights are the least
squares solution that leaves everything its room. Lines bend only in the channels between columns,
where no node is, so no line can run through a node. Everything is deterministic.
"""

from bisect import bisect_right, insort

GAP = 14  # between two things in a column
PASSAGE = 9  # half the height that a passing line keeps free
CHANNEL = 30  # the least width of a channel
SWEEPS = 8


class Box:
    """One node, as the layout sees it; sizes in pixels, measured from the node's centre line.

    width, up, down  how much room the node itself and its labels take
    left             room for labels on the lines that come in
    right            room for the label on the line that goes out
    inputs           the boxes whose lines come in, in order; a box may come twice
    ports            for each input the height at which it enters, from the centre line
    floats           True if it may stand further right than it must (a leaf)
    column, x, y     the result: its column, and the centre of the node
    start, end       the result: where its column begins and ends
    """

    def __init__(self, width, up, down, left=0, right=0, floats=False):
        self.width, self.up, self.down, self.left, self.right = width, up, down, left, right
        self.floats = floats
        self.inputs, self.ports = [], []
        self.column = self.x = self.y = self.start = self.end = 0


class Passage(Box):
    """Where a line passes a column."""

    def __init__(self, source, column):
        super().__init__(0, PASSAGE, PASSAGE)
        self.inputs, self.ports = [source], [0]
        self.column = column


def place(boxes):
    """Give every Box its place; returns (width, height, passages).

    boxes  in an order in which arguments come before what is made of them; the last is the result.
           Afterwards `inputs` lead through the passages.
    """
    assign_columns(boxes)
    columns, passages = with_passages(boxes)
    columns = ordered(columns, boxes[-1])
    set_heights(columns)
    width = set_widths(columns)
    top = min(box.y - box.up for column in columns for box in column)
    for column in columns:
        for box in column:
            box.y -= top
    return width, max(b.y + b.down for column in columns for b in column), passages


# ------------------------------------------------------------------------------------ columns


def assign_columns(boxes):
    """Longest paths. A leaf far from its first user stands just before it, not at the margin."""
    first_user = {}
    for box in boxes:
        box.column = max((i.column + 1 for i in box.inputs), default=0)
    for box in boxes:
        for i in box.inputs:
            first_user[i] = min(first_user.get(i, box.column), box.column)
    for box in boxes:
        if box.floats and first_user.get(box, 0) > 3:
            box.column = first_user[box] - 1
    margin = min(box.column for box in boxes)
    for box in boxes:
        box.column -= margin


def with_passages(boxes):
    """(columns in the order of a walk from the result, all passages)."""
    reach = {}
    for box in boxes:
        for i in box.inputs:
            reach[i] = max(reach.get(i, 0), box.column)
    lines = {}  # box: [itself, its passage in the next column, …]
    for box in boxes:
        line = lines[box] = [box]
        for column in range(box.column + 1, reach.get(box, 0)):
            line.append(Passage(line[-1], column))
    for box in boxes:
        box.inputs = [lines[i][box.column - 1 - i.column] for i in box.inputs]
    columns = [[] for _ in range(max(box.column for box in boxes) + 1)]
    seen, waiting = set(), [boxes[-1]]
    while waiting:
        box = waiting.pop()
        if box not in seen:
            seen.add(box)
            columns[box.column].append(box)
            waiting += reversed(box.inputs)
    return columns, [p for line in lines.values() for p in line[1:]]


# -------------------------------------------------------------------------------------- order


def ordered(columns, root):
    """The columns with as few crossings as barycentre sweeps find, and no more than at first."""
    users = users_of(columns)
    best, fewest = [list(c) for c in columns], crossings(columns)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        rightward = sweep % 2 == 0
        for k in range(1, len(columns)) if rightward else range(len(columns) - 2, -1, -1):
            near = columns[k - 1] if rightward else columns[k + 1]
            rank = {box: float(i) for i, box in enumerate(near)}
            now = {box: float(i) for i, box in enumerate(columns[k])}

            def middle(box, rank=rank, now=now, rightward=rightward):
                if rightward:
                    found = [rank[i] for i in box.inputs if i in rank]
                else:
                    found = [rank[u] + place for u, place in users[box] if u in rank]
                return sum(found) / len(found) if found else now[box]

            columns[k] = sorted(columns[k], key=middle)
        if (count := crossings(columns)) < fewest:
            best, fewest = [list(c) for c in columns], count
    return best


def users_of(columns):
    """{box: [(who takes it, at which height of its side, from 0 to under 1)]}."""
    users = {box: [] for column in columns for box in column}
    for column in columns:
        for box in column:
            for n, i in enumerate(box.inputs):
                users[i].append((box, n / (len(box.inputs) + 1)))
    return users


def crossings(columns):
    """How many pairs of lines cross, over all channels."""
    total = 0
    for left, right in zip(columns, columns[1:], strict=False):
        rank = {box: i for i, box in enumerate(left)}
        seen = []
        for box in right:
            for i in box.inputs:
                total += len(seen) - bisect_right(seen, rank[i])
                insort(seen, rank[i])
    return total


# ------------------------------------------------------------------------------------- places


def set_heights(columns):
    """Heights near those of the neighbours, in order, with room for all."""
    users = users_of(columns)
    for column in columns:
        settle(column, [0.0] * len(column), [1.0] * len(column))
    for sweep in range(2 * SWEEPS):
        rightward = sweep % 2 == 1
        for column in columns if rightward else reversed(columns):
            wanted, weights = [], []
            for box in column:
                before = [i.y - p for i, p in zip(box.inputs, box.ports, strict=True)]
                after = [u.y + u.ports[n] for u, n in port_numbers(box, users)]
                near = before if rightward and before else after or before
                if sweep >= 2 * SWEEPS - 2:
                    near = before + after
                wanted.append(sum(near) / len(near) if near else box.y)
                weights.append(4.0 if isinstance(box, Passage) else 1.0)
            settle(column, wanted, weights)


def port_numbers(box, users):
    """(user, index of its input) for each line that leaves this box."""
    return [(u, round(place * (len(u.inputs) + 1))) for u, place in users[box]]


def settle(column, wanted, weights):
    """Heights as near to `wanted` as order and room allow: pool adjacent violators."""
    offset, offsets = 0.0, []
    for previous, box in zip([None, *column], column, strict=False):
        if previous is not None:
            offset += previous.down + GAP + box.up
        offsets.append(offset)
    blocks = []  # [weighted mean, weight, count]
    for target, weight, shift in zip(wanted, weights, offsets, strict=True):
        blocks.append([target - shift, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * weight) / (last[1] + weight)
            last[1] += weight
            last[2] += count
    means = [mean for mean, _, count in blocks for _ in range(count)]
    for box, mean, shift in zip(column, means, offsets, strict=True):
        box.y = mean + shift


def set_widths(columns):
    """Columns beside each other, and channels wide enough for lines that climb. Returns the width."""
    x = 0.0
    for k, column in enumerate(columns):
        if k:
            climb = max(
                (abs(i.y - box.y - p) for box in column for i, p in zip(box.inputs, box.ports, strict=True)),
                default=0,
            )
            x += CHANNEL + min(90.0, climb / 4)
        left = max(box.left for box in column)
        middle = max(box.width for box in column)
        right = max(box.right + (middle - box.width) / 2 * 0 for box in column)
        for box in column:
            box.start, box.end = x, x + left + middle + right
            box.x = x + left + middle / 2
        x += left + middle + right
    return x
