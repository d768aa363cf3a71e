"""Writes tests/goldens/drift.json: drift measures by SciPy, scikit-image, scikit-learn, Quantus and POT.

usage: drift.py [FILE]     versions: requirements.txt, requirements-explain.txt

Maps are stored beside the results: signed, rectified with many equal zeros, and dense ones, on 7 x 7 and 14 x 14, all of
them multiples of 1/256, so that they are the same numbers in single precision and as text. Every value is computed in
double precision by the library that is named in PEERS; nothing is re-implemented here but normalisations (negatives
clipped and divided by the sum; stretched to [0, 1]), the choice of the strongest cells, and differences of two values.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import ot
import quantus
from scipy import ndimage, optimize, stats
from scipy.spatial import distance
from skimage.metrics import structural_similarity
from sklearn.metrics import jaccard_score

GOLDEN = Path(__file__).resolve().parents[2] / "tests/goldens/drift.json"
PACKAGES = ["numpy", "scipy", "scikit-image", "scikit-learn", "quantus", "POT"]
WINDOW = {7: 3, 14: 7}
QUIET = {"abs": True, "normalise": False, "disable_warnings": True, "display_progressbar": False}
SPARSENESS, COMPLEXITY = quantus.Sparseness(**QUIET), quantus.Complexity(**QUIET)


def blob(side, x, y, width, noise, generator):
    rows, cols = (np.mgrid[0:side, 0:side] + 0.5) / side
    values = np.exp(-((rows - y) ** 2 + (cols - x) ** 2) / width ** 2) + noise * generator.standard_normal((side, side))
    return np.round(values * 256) / 256


def maps():
    """Three of each grid: signed, rectified with ties, dense and positive."""
    generator, all_maps = np.random.default_rng(7), []
    for side in (7, 14):
        all_maps.append(blob(side, 0.3, 0.4, 0.3, 0.2, generator))
        all_maps.append(np.maximum(blob(side, 0.6, 0.5, 0.2, 0.1, generator) - 0.25, 0))
        all_maps.append(np.abs(blob(side, 0.4, 0.7, 0.5, 0.3, generator)) + 1 / 256)
    return all_maps


def mass(values):
    positive = np.maximum(values, 0)
    return positive / positive.sum()


def stretched(values):
    return (values - values.min()) / (values.max() - values.min())


def top(values, fraction):
    chosen = np.zeros(values.size, bool)
    chosen[np.argsort(-values.ravel(), kind="stable")[: max(1, round(fraction * values.size))]] = True
    return chosen


def centroid(values):
    """In units of the grid's sides, from its corner."""
    return (np.array(ndimage.center_of_mass(mass(values))) + 0.5) / values.shape


def places(side):
    return (np.stack(np.mgrid[0:side, 0:side], -1).reshape(-1, 2) + 0.5) / side


def transport(one, other):
    """By POT's network simplex, and as a linear program by SciPy's HiGHS where that is small."""
    p, q, cells = mass(one).ravel(), mass(other).ravel(), places(one.shape[0])
    costs = distance.cdist(cells, cells)
    work = ot.emd2(p, q, costs, numItermax=10**7)
    if p.size <= 49:
        sums = np.concatenate([np.kron(np.eye(p.size), np.ones(p.size)), np.kron(np.ones(p.size), np.eye(p.size))])
        program = optimize.linprog(costs.ravel(), A_eq=sums, b_eq=np.concatenate([p, q]), method="highs")
        assert abs(program.fun - work) < 1e-9, (program.fun, work)
    return work


def by_quantus(metric, values):
    """Of a map without negatives; the metrics write into their argument."""
    return metric.evaluate_batch(x_batch=None, a_batch=values[None].copy())[0]


def entropy(values):
    found = stats.entropy(mass(values).ravel())
    # Quantus adds 1e-12 to every share inside the logarithm.
    assert abs(by_quantus(COMPLEXITY, np.maximum(values, 0)) - found) < 1e-9
    return found


def gini(values):
    # Quantus adds 1e-7 to every value; the Gini coefficient does not depend on the scale, and so that is nothing here.
    return by_quantus(SPARSENESS, 1e6 * np.maximum(values, 0))


def descriptors(values):
    found = entropy(values)
    share, centre = mass(values), centroid(values)
    squared = ((places(values.shape[0]) - centre) ** 2).sum(1)
    return {
        "entropy": found,
        "effective-area": np.exp(found) / values.size,
        "spread": np.average(squared, weights=share.ravel()) ** 0.5,
        "gini": gini(values),
        "top20-mass": share.ravel()[top(values, 0.2)].sum(),
        "positive-mass": values[values > 0].sum(),
        "negative-mass": -values[values < 0].sum(),
    }


def measures(one, other):
    a, b, p, q = one.ravel(), other.ravel(), mass(one).ravel(), mass(other).ravel()
    similarity, dissimilarity = quantus.similarity_func, distance.braycurtis(p, q)
    of_one, of_other = descriptors(one), descriptors(other)
    iou = {f"top{percent}-iou": jaccard_score(top(one, percent / 100), top(other, percent / 100))
           for percent in (10, 15, 20, 30)}
    changes = {f"{name}-change": abs(of_one[name] - of_other[name]) for name in of_one if name != "spread"}
    found = iou | changes | {
        "soft-iou": (1 - dissimilarity) / (1 + dissimilarity),
        "pearson": similarity.correlation_pearson(a, b),
        "spearman": similarity.correlation_spearman(a, b),
        "kendall": similarity.correlation_kendall_tau(a, b),
        "cosine": 1 - similarity.cosine(a, b),
        "ssim": structural_similarity(stretched(one), stretched(other), win_size=WINDOW[one.shape[0]], data_range=1.0),
        "js-divergence": distance.jensenshannon(p, q, base=2) ** 2,
        "total-variation": distance.cityblock(p, q) / 2,
        "hellinger": distance.euclidean(np.sqrt(p), np.sqrt(q)) / 2 ** 0.5,
        "earth-movers-distance": transport(one, other),
        "centroid-displacement": distance.euclidean(centroid(one), centroid(other)),
        "l1-change": similarity.distance_manhattan(a, b),
        "l2-change": similarity.distance_euclidean(a, b),
    }
    # The same thing by a second library.
    for name, value in [("pearson", stats.pearsonr(a, b)[0]), ("spearman", stats.spearmanr(a, b)[0]),
                        ("kendall", stats.kendalltau(a, b)[0]), ("l2-change", distance.euclidean(a, b))]:
        assert abs(found[name] - value) < 1e-12, name
    return found


PEERS = {
    "scikit-learn": "top-k IoU", "quantus": "pearson spearman kendall cosine l1 l2 gini; entropy",
    "scikit-image": "ssim", "POT": "earth-movers-distance; up to 7 x 7 scipy.optimize.linprog too",
    "scipy": "soft-iou js-divergence total-variation hellinger centroid entropy; pearson spearman kendall l2",
}


def main():
    values = maps()
    pairs = [(first + one, first + other) for first in (0, 3) for one, other in ((0, 1), (1, 2), (2, 0))]
    numbers = lambda named: {name: float(named[name]) for name in sorted(named)}
    golden = {
        "versions": {name: version(name) for name in PACKAGES},
        "peers": PEERS,
        "maps": [{"side": one.shape[0], "values": one.ravel().tolist(), "descriptors": numbers(descriptors(one))}
                 for one in values],
        "pairs": [{"one": one, "other": other, "measures": numbers(measures(values[one], values[other]))}
                  for one, other in pairs],
    }
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN
    lines = [f'"{name}": ' + (json.dumps(part) if isinstance(part, dict) else
                              "[\n" + ",\n".join(map(json.dumps, part)) + "\n]") for name, part in golden.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
