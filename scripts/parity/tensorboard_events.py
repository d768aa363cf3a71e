"""Every number, picture and layout that driftscope writes for TensorBoard is read back by TensorBoard itself.

usage: tensorboard_events.py [FOLDER]      default: what `cargo run --example tensorboard` writes;
                                    needs requirements-tensorboard.txt (tensorboard 2.21.0) and nothing of PyTorch

Three readers: TensorBoard's own EventAccumulator, and the server with its Python loader and with its Rust one.
"""

import io
import json
import math
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

ROOT = Path(__file__).resolve().parents[2]
LOSS, ACCURACY, PANEL = "training/loss", "validation/accuracy", "panel/000"
ODD = "far/µ of ‖x‖"
# Steps 0 to 5 in one file; in a second one a restart at 3, and steps 3 and 4 again, 10 more of everything.
STEPS = {0: 0, 1: 0, 2: 0, 3: 10, 4: 10}
failures = 0


def check(what, good):
    global failures
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'}  {what}", flush=True)


def same(found, expected):
    """As single precision keeps it."""
    return np.float32(found) == np.float32(expected)


def pixels(step, more):
    values = (17 * np.arange(45) + 40 * step + more) % 256
    return values.astype(np.uint8).reshape(3, 5, 3)


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def by_accumulator(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    tags = events.Tags()
    check("tags", sorted(tags["scalars"]) == sorted([LOSS, ACCURACY, "far/step", ODD]) and tags["images"] == [PANEL])
    loss, accuracy, panel = events.Scalars(LOSS), events.Scalars(ACCURACY), events.Images(PANEL)
    for what, found in [("loss", loss), ("accuracy", accuracy), ("pictures", panel)]:
        check(f"{what}: steps after the restart at 3", [event.step for event in found] == list(STEPS))
    check("losses", all(same(event.value, 1 / (event.step + 1) + STEPS[event.step]) for event in loss))
    check("accuracies", all(same(event.value, event.step / 8) for event in accuracy))
    check("wall times", all(event.wall_time == 1e9 + event.step / 4 for event in accuracy))
    check("wall times of now", all(abs(event.wall_time - time.time()) < 3600 for event in loss))
    for event in panel:
        good = (decoded(event.encoded_image_string) == pixels(event.step, STEPS[event.step])).all()
        check(f"picture of step {event.step}", (event.width, event.height) == (5, 3) and good)
    far, = events.Scalars("far/step")
    check("a step beyond 32 bits", far.step == 1 << 40 and same(far.value, -2.5e-7))
    broken, = events.Scalars(ODD)
    check("not a number, under a tag beyond ASCII", broken.step == 7 and math.isnan(broken.value))


def by_plugin(folder):
    """The layout as TensorBoard's own protocol buffer reads it."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    said = events.Tensors(metadata.CONFIG_SUMMARY_TAG)
    check("the layout is said in both files and forgotten in none", len(said) == 2)
    for event in said:
        layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
        found = {category.title: {chart.title: list(chart.multiline.tag) for chart in category.chart} for category in layout.category}
        check("categories and charts", {title: list(charts) for title, charts in found.items()} == {"learning": ["both"], "far": ["odd"]})
        patterns = [*found["learning"]["both"], *found["far"]["odd"]]
        check("each pattern is one tag", all(re.fullmatch(one, tag) for one, tag in zip(patterns, [LOSS, ACCURACY, ODD], strict=True)))
        check("and no other", not any(re.match(one, tag + "x") for one, tag in zip(patterns, [LOSS, ACCURACY, ODD], strict=True)))


def ask(url, path, **query):
    with urllib.request.urlopen(f"{url}data/plugin/{path}?{urllib.parse.urlencode(query)}") as answer:
        return answer.read()


def by_server(folder, fast):
    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", str(folder), "--port", "0", "--load_fast", fast])
    url = server.launch()
    name = f"server with load_fast={fast}"
    for _ in range(60):
        runs = json.loads(ask(url, "scalars/tags"))
        if "far/step" in runs.get(".", {}):
            break
        time.sleep(0.5)
    scalars = json.loads(ask(url, "scalars/scalars", run=".", tag=LOSS))
    check(f"{name}: steps of the loss", [step for _, step, _ in scalars] == list(STEPS))
    check(f"{name}: losses", all(same(value, 1 / (step + 1) + STEPS[step]) for _, step, value in scalars))
    layout = json.loads(ask(url, "custom_scalars/layout"))
    check(f"{name}: categories", [category["title"] for category in layout["category"]] == ["learning", "far"])
    charts = {chart["title"]: chart["multiline"]["tag"] for category in layout["category"] for chart in category["chart"]}
    for title, tags in [("both", [LOSS, ACCURACY]), ("odd", [ODD])]:
        for pattern, tag in zip(charts[title], tags, strict=True):
            found = json.loads(ask(url, "custom_scalars/scalars", run=".", tag=pattern))
            check(f"{name}: {tag} in its chart, alone", found["regex_valid"] and list(found["tag_to_events"]) == [tag])
    images = json.loads(ask(url, "images/images", run=".", tag=PANEL, sample=0))
    check(f"{name}: steps of the pictures", [image["step"] for image in images] == list(STEPS))
    for image in images:
        png = ask(url, "images/individualImage", **dict(urllib.parse.parse_qsl(image["query"])))
        check(f"{name}: picture of step {image['step']}", (decoded(png) == pixels(image["step"], STEPS[image["step"]])).all())


with tempfile.TemporaryDirectory(prefix="driftscope-tensorboard-") as made:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
    if len(sys.argv) == 1:
        subprocess.run(["cargo", "run", "--quiet", "--example", "tensorboard", folder], cwd=ROOT, check=True)
    check("two files", len(list(folder.glob("events.out.tfevents.*.driftscope*"))) == 2)
    by_accumulator(folder)
    by_plugin(folder)
    by_server(folder, "false")
    by_server(folder, "true")
sys.exit(1 if failures else 0)
