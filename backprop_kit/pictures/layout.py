"""Where the nodes and edges of a picture go: layers from left to right, nothing on top of anything.

The method is Sugiyama's (1981), in its plain form. Each node stands in the column after its last
argument; a line that passes columns gets a place of its own in each (a *passage*); the order
within a column is improved by barycentres as long as crossings disappear; heights are the least
squares solution that leaves everything its room. Lines bend only in the channels between columns,
where no node is, so no line can run through a node. Everything is deterministic.
"""

from bisect import bisect_right, insort
from itertools import pairwise

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
    floats           None, or (for a leaf) at most how many columns before its first user
    free             True if the order of its lines means nothing: it is chosen here
    column, x, y     the result: its column, and the centre of the node
    start, end       the result: where its column begins and ends

    Whoever draws may note on it how `tall` and `round` the node itself is.
    """

    tall: float
    round: float

    def __init__(self, width, up, down, left=0, right=0, floats=None, free=False):
        self.width, self.up, self.down, self.left, self.right = width, up, down, left, right
        self.floats, self.free = floats, free
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
    columns = ordered(columns)
    sort_ports(columns)
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
        if box.floats and first_user.get(box, 0) > box.floats:
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


def ordered(columns):
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
                    found = [rank[u] + n / (len(u.inputs) + 1) for u, n in users[box] if u in rank]
                return sum(found) / len(found) if found else now[box]

            columns[k] = sorted(columns[k], key=middle)
        if (count := crossings(columns)) < fewest:
            best, fewest = [list(c) for c in columns], count
    return best


def users_of(columns):
    """{box: [(who takes it, as which of its inputs)]}."""
    users = {box: [] for column in columns for box in column}
    for column in columns:
        for box in column:
            for n, i in enumerate(box.inputs):
                users[i].append((box, n))
    return users


def crossings(columns):
    """How many pairs of lines cross, over all channels."""
    total = 0
    for left, right in pairwise(columns):
        rank = {box: i for i, box in enumerate(left)}
        seen = []
        for box in right:
            ranks = [rank[i] for i in box.inputs]
            for r in sorted(ranks) if box.free else ranks:
                total += len(seen) - bisect_right(seen, r)
                insort(seen, r)
    return total


def sort_ports(columns):
    """Where the order of a box's lines means nothing, let them enter in the order they come."""
    for left, right in pairwise(columns):
        rank = {box: i for i, box in enumerate(left)}
        for box in right:
            if box.free:
                ranks = [rank[source] for source in box.inputs]
                order = sorted(range(len(ranks)), key=ranks.__getitem__)
                ports = sorted(box.ports)
                box.ports = [ports[order.index(n)] for n in range(len(ports))]


# ------------------------------------------------------------------------------------- places


def set_heights(columns):
    """Heights near those of the neighbours, in order, with room for all."""
    users = users_of(columns)
    for column in columns:
        settle(column, [0.0] * len(column), [1.0] * len(column))
    for sweep in range(2 * SWEEPS + 1):
        rightward = sweep % 2 == 1
        for column in columns if rightward else reversed(columns):
            wanted, weights = [], []
            for box in column:
                before = [i.y - p for i, p in zip(box.inputs, box.ports, strict=True)]
                after = [u.y + u.ports[n] for u, n in users[box]]
                if sweep < 2 * SWEEPS - 2:
                    near = before if rightward and before else after or before
                else:
                    near = before + after
                wanted.append(sum(near) / len(near) if near else box.y)
                weights.append(4.0 if isinstance(box, Passage) else 1.0)
            settle(column, wanted, weights)
    # At last, lines that can be straight are made straight: from leaves, then to the right.
    for column in reversed(columns):
        straight = [not box.inputs and len(users[box]) == 1 for box in column]
        wanted = [
            users[b][0][0].y + users[b][0][0].ports[users[b][0][1]] if s else b.y
            for b, s in zip(column, straight, strict=True)
        ]
        settle(column, wanted, [0.1 if s else 50.0 for s in straight])
    for column in columns:
        straight = [len(box.inputs) == 1 for box in column]
        wanted = [b.inputs[0].y if s else b.y for b, s in zip(column, straight, strict=True)]
        settle(column, wanted, [50.0 if s else 1.0 for s in straight])


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
    """Columns beside each other, with wider channels where lines climb. Returns the width."""
    x = 0.0
    for k, column in enumerate(columns):
        if k:
            climbs = [abs(i.y - b.y - p) for b in column for i, p in zip(b.inputs, b.ports)]  # noqa: B905
            x += CHANNEL + min(90.0, max(climbs, default=0) / 4)
        left = max(box.left for box in column)
        middle = max(box.width for box in column)
        right = max(box.right for box in column)
        for box in column:
            box.start, box.end = x, x + left + middle + right
            box.x = x + left + middle / 2
        x += left + middle + right
    return x
