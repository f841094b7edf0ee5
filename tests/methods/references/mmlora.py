"""Low-rank adapters (Hu et al., arXiv 2106.09685, eq. 3), as MMLoRA adds them, with loops."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]
Map = Sequence[Sequence[Sequence[float]]]  # [channel][line][column]


def adapted(weight: Matrix, down: Matrix, up: Matrix, alpha: float) -> list[list[float]]:
    """Return W + (alpha / r) B A; `down` is A (r, in) and `up` is B (out, r)."""
    r = len(down)
    return [
        [
            w + alpha / r * sum(up[o][k] * down[k][i] for k in range(r))
            for i, w in enumerate(weight[o])
        ]
        for o in range(len(weight))
    ]


def linear(weight: Matrix, bias: Sequence[float], x: Sequence[float]) -> list[float]:
    """Return W x + b."""
    rows = zip(weight, bias, strict=True)
    return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in rows]


def convolved(weight: Matrix, image: Map, side: int, stride: int, padding: int) -> list[Map]:
    """Return, as one item, W times every patch of `image`: a convolution read as a matrix.

    A line of W holds the weights of an output channel, by input channel, line and column.
    """
    high, wide = len(image[0]), len(image[0][0])

    def at(c: int, y: int, x: int) -> float:
        return image[c][y][x] if 0 <= y < high and 0 <= x < wide else 0.0

    def patch(y: int, x: int) -> list[float]:
        places = [(c, i, j) for c in range(len(image)) for i in range(side) for j in range(side)]
        return [at(c, y * stride - padding + i, x * stride - padding + j) for c, i, j in places]

    lines = (high + 2 * padding - side) // stride + 1
    columns = (wide + 2 * padding - side) // stride + 1
    return [
        [
            [
                [sum(w * v for w, v in zip(row, patch(y, x), strict=True)) for x in range(columns)]
                for y in range(lines)
            ]
            for row in weight
        ]
    ]
