"""Boosted trees as arrays: fitted by scikit-learn, applied by a loop of our own; a stored model needs no pickle."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from detectors.compiled import compiled
from detectors.rul.records import Floats


class Forest(msgspec.Struct, frozen=True, eq=False):
    """Trees one after the other; a row's prediction is the base plus the sum of the leaves it falls in.

    Attributes:
        base: the prediction before the first tree.
        roots: number of each tree's first node.
        feature: of each node; -1 in a leaf.
        threshold: of each node: at most goes left. In a leaf, its value.
        left: number of the left child; 0 in a leaf.
        right: likewise.
    """

    base: float
    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    def predict(self, x: Floats) -> Floats:
        """Predictions of shape (n,) from features of shape (n, features), all finite."""
        rows = np.ascontiguousarray(x, np.float64)
        found = np.full(len(rows), self.base)
        _walk(found, rows, (self.roots, self.feature, self.threshold, self.left, self.right))
        return found


class TreeRules(msgspec.Struct, frozen=True):
    """How the trees grow.

    Attributes:
        trees: how many.
        rate: share of each tree that counts.
        leaves: of a tree, at most.
        rows_a_leaf: at least.
        features: share of the features that each split may choose from.
    """

    trees: int = 250
    rate: float = 0.06
    leaves: int = 16
    rows_a_leaf: int = 100
    features: float = 0.3


def grow(x: Floats, y: Floats, rules: TreeRules, seed: int) -> Forest:
    """Fit trees by least squares on histograms of the features (Ke et al., LightGBM, NeurIPS 2017)."""
    model = HistGradientBoostingRegressor(
        max_iter=rules.trees,
        learning_rate=rules.rate,
        max_leaf_nodes=rules.leaves,
        # A small table still grows trees.
        min_samples_leaf=max(2, min(rules.rows_a_leaf, len(x) // 20)),
        max_features=rules.features,
        early_stopping=False,
        random_state=seed,
    ).fit(x, y)
    nodes = [tree[0].nodes for tree in model._predictors]  # noqa: SLF001  (the trees have no public form)
    ends = np.cumsum([0, *map(len, nodes)])
    every = np.concatenate(nodes)
    shift = np.repeat(ends[:-1], np.diff(ends))
    leaf = every["is_leaf"].astype(bool)
    forest = Forest(
        base=float(np.ravel(model._baseline_prediction)[0]),  # noqa: SLF001  (likewise)
        roots=ends[:-1].astype(np.int32),
        feature=np.where(leaf, -1, every["feature_idx"]).astype(np.int16),
        threshold=np.where(leaf, every["value"], every["num_threshold"]).astype(np.float64),
        left=np.where(leaf, 0, every["left"] + shift).astype(np.int32),
        right=np.where(leaf, 0, every["right"] + shift).astype(np.int32),
    )
    few = x[:: max(1, len(x) // 200)]
    if not np.allclose(forest.predict(few), model.predict(few), rtol=1e-9, atol=1e-9):
        raise RuntimeError(
            "this release of scikit-learn keeps its trees otherwise than `detectors.rul.forest` reads them"
        )
    return forest


@compiled
def _walk(found: Floats, x: Floats, trees: tuple[NDArray[Any], ...]) -> None:
    roots, feature, threshold, left, right = trees
    for row in range(len(x)):
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if x[row, feature[node]] <= threshold[node] else right[node]
            found[row] += threshold[node]
