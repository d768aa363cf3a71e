"""The six kinds of trial. Each takes a generator and a folder of its own, and says what to run there."""

import hashlib
import io
import json
import os
import shutil
import struct
import zipfile

import pictures
import plants
from settings import chosen_keys, config_text, needs, value_of
from world import Trial, World

NUMBERS = [0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 1e308, -1e308, 1e-320, 0.5]
VALUES = NUMBERS + [None, True, "", "x" * 5000, "../../etc", "/", "é\n😀\u0000", [], {}, [[[]]], {"a": {}}]


def train(world, *more, panel="panel.per_class=1"):
    """A tiny run of one epoch."""
    return ["train", "--model", "deit_mini", "--epochs", "1", "--batch-size", "4", "--device", world.device,
            "--run-dir", "out", "--set", panel, "--set", "panel.overlays=0", *more]


def pictures_kind(rng, folder, world):
    trial = Trial(folder)
    if rng.random() < 0.2:
        ending, data = pictures.one(rng)
        (folder / f"photo.{ending}").write_bytes(data)
        trial.command = ["explain", str(world.base / "cnn"), f"photo.{ending}", "--methods", "grad-cam", "--out", "seen",
                         "--device", world.device]
        trial.writes, trial.names = ["seen"], [f"photo.{ending}"]
        return trial
    World.folders(folder / "data", 2, 1, 1)
    bad, skip = rng.choice([1, 3, 12]), rng.random() < 0.7
    for number in range(bad):
        ending, data = pictures.one(rng)
        place = folder / "data" / rng.choice(["train", "train", "val", "test"]) / rng.choice(["dots", "lines"])
        (place / f"bad{number}.{ending}").write_bytes(data)
    more = ["--skip-bad-images"] if skip else []
    if rng.random() < 0.6:
        trial.command = ["data", "data", *more]
    else:
        trial.command, trial.writes = train(world, "--data", "data", *more), ["out"]
    trial.names = ["bad", "data"]
    trial.story.append(f"{bad} pictures")
    return trial


def weights_kind(rng, folder, world):
    trial = Trial(folder, names=["weights.", "allow", "pattern"])
    model = rng.choice(["vit", "cnn"])
    data = (world.base / f"{model}.safetensors").read_bytes()
    ending = rng.choice(["safetensors", "safetensors", "safetensors", "pth", "pt", "bin", "pth.tar", "ckpt"])
    if ending != "safetensors" or rng.random() < 0.05:
        data = pth(rng, data)
        if rng.random() < 0.9:
            data = pictures.broken(rng, data)
    elif rng.random() < 0.6:
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        trial.story.append(change_json(rng, header))
        text = json.dumps(header).encode()
        data = struct.pack("<Q", len(text)) + text + data[8 + length:]
    else:
        data = pictures.broken(rng, data)
    (folder / f"weights.{ending}").write_bytes(data)
    if rng.random() < 0.08:
        way = plants.replace(rng, folder / f"weights.{ending}", plants.outside(folder))
        trial.story.append(way)
    name = {"vit": "deit_mini", "cnn": "resnet_mini"}[model]
    trial.command = ["train", "--model", name, "--weights", f"weights.{ending}", "--epochs", "1", "--batch-size", "4",
                     "--data", str(world.base / "data"), "--device", world.device, "--run-dir", "out", "--set",
                     "panel.per_class=1", "--set", "panel.overlays=0"]
    if rng.random() < 0.2:
        trial.command += ["--allow-missing", rng.choice(["*", "head*", "[", "blocks.0.*", "", "**"])]
    trial.writes = ["out"]
    return trial


def pth(rng, safetensors):
    """A checkpoint as torch.save writes it, of the same tensors: protocol 2, written by hand."""
    length = struct.unpack("<Q", safetensors[:8])[0]
    header = json.loads(safetensors[8:8 + length])
    header.pop("__metadata__", None)
    data = safetensors[8 + length:]
    text = lambda word: b"X" + struct.pack("<I", len(word.encode())) + word.encode()
    number = lambda value: b"J" + struct.pack("<i", value)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        body = b"\x80\x02}("
        for key, (name, about) in enumerate(header.items()):
            begin, end = about["data_offsets"]
            shape, strides, step = about["shape"], [], 1
            for size in reversed(about["shape"]):
                strides.insert(0, step)
                step *= size
            storage = (b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu")
                       + number((end - begin) // 4) + b"tQ")
            tuple_of = lambda sizes: b"(" + b"".join(map(number, sizes)) + b"t"
            body += (text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + tuple_of(shape)
                     + tuple_of(strides) + b"\x89ccollections\nOrderedDict\n)RtR")
            archive.writestr(f"archive/data/{key}", data[begin:end])
        body += b"u."
        if rng.random() < 0.5:
            body = pictures.broken(rng, body)
        archive.writestr("archive/data.pkl", body)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return out.getvalue()


def nodes(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from nodes(item, (*path, key))


def change_json(rng, value):
    """Changes one node of parsed JSON in place; where, and to what."""
    path = rng.choice([path for path in nodes(value) if path] or [()])
    if not path:
        return "nothing to change"
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    way = rng.random()
    if way < 0.2:
        del holder[path[-1]]
        return f"without {path}"
    if way < 0.3 and isinstance(holder, list):
        holder.append(holder[path[-1]])
        return f"{path} twice"
    old = holder[path[-1]]
    if way < 0.5 and isinstance(old, (int, float)) and not isinstance(old, bool):
        new = rng.choice([-old, old + 1, old - 1, old * 1000, 0])
    else:
        new = rng.choice(VALUES)
    holder[path[-1]] = new
    return f"{path} = {str(new)[:60]!r}"


def seal(run, path):
    """Puts the digest of a changed file into its epoch's manifest, so that what lies behind the check is reached."""
    manifest = next((parent / "manifest.json" for parent in path.parents if (parent / "manifest.json").is_file()), None)
    if manifest is None or manifest == path or run not in manifest.parents:
        return
    try:
        value = json.loads(manifest.read_bytes())
        name = str(path.relative_to(manifest.parent))
        data = path.read_bytes()
        if name in value["files"]:
            value["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            manifest.write_text(json.dumps(value))
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        pass


def damage(rng, trial, run, others):
    """One thing wrong in a run's folder."""
    try:
        damage_what_is_whole(rng, trial, run, others)
    except (ValueError, struct.error, KeyError, AttributeError):
        trial.story.append("broken too much already to be broken in that way")


def damage_what_is_whole(rng, trial, run, others):
    """One thing wrong; what the thing before it broke may not be read as what it was."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return
    # JSON is small and holds what decides; a run has few of it.
    likely = [path for path in files if path.suffix == ".json"]
    path = rng.choice(likely if rng.random() < 0.4 and likely else files)
    where, way = path.relative_to(run.parent), rng.random()
    if way < 0.35:
        data = path.read_bytes()
        if path.suffix == ".json" and rng.random() < 0.75:
            value = json.loads(data)
            trial.story.append(f"{where}: {change_json(rng, value)}")
            path.write_text(json.dumps(value))
        elif path.suffix == ".safetensors" and rng.random() < 0.6:
            length = struct.unpack("<Q", data[:8])[0]
            header = json.loads(data[8:8 + length])
            inner = header.get("__metadata__", {}).get("driftscope")
            if inner is not None and rng.random() < 0.6:
                value = json.loads(inner)
                trial.story.append(f"{where}: header {change_json(rng, value)}")
                header["__metadata__"]["driftscope"] = json.dumps(value)
            else:
                trial.story.append(f"{where}: header {change_json(rng, header)}")
            text = json.dumps(header).encode()
            path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length:])
        else:
            trial.story.append(f"{where}: bytes")
            path.write_bytes(pictures.broken(rng, data))
        if rng.random() < 0.6:
            seal(run, path)
    elif way < 0.5:
        trial.story.append(f"{where}: bytes")
        path.write_bytes(pictures.broken(rng, path.read_bytes()))
    elif way < 0.7:
        target = path if rng.random() < 0.7 else rng.choice(sorted(one for one in run.rglob("*") if one.is_dir()))
        trial.story.append(f"{target.relative_to(run.parent)}: {plants.replace(rng, target, plants.outside(trial.folder))}")
    elif way < 0.85:
        other = rng.choice(others + [one for one in files if one.suffix == path.suffix])
        trial.story.append(f"{where}: swapped with {other}")
        path.write_bytes(other.read_bytes())
        seal(run, path)
    elif rng.random() < 0.5:
        path.unlink()
        trial.story.append(f"{where}: gone")
    else:
        folders = sorted(one for one in run.rglob("*") if one.is_dir())
        shutil.rmtree(rng.choice(folders))
        trial.story.append("a folder: gone")


def commands(rng, world, run, other):
    """Any command on a run; and what it writes."""
    device, name = ["--device", world.device], run.name
    return rng.choice([
        (["drift", name], []), (["drift", name, "--format", "json", "--resamples", "50"], []),
        (["drift", name, "--images"], []), (["drift", name, "--spread"], []), (["drift", name, "--groups"], []),
        (["drift", name, "--protocol", "semantic-drift"], []), (["drift", name, "--floor", str(other)], []),
        (["report", name, "--out", "page.html"], ["page.html"]), (["report", name, str(other), "-o", "p.html"], ["p.html"]),
        (["plot", name, "--out", "plot.svg"], ["plot.svg"]), (["animate", name, "--out", "a.gif"], ["a.gif"]),
        (["animate", name, "--out", "a.png"], ["a.png"]), (["export", name, "w.safetensors"], ["w.safetensors"]),
        (["eval", name, *device], []), (["eval", f"{name}@best", "--split", "val", *device], []),
        (["explain", name, "--methods", "grad-cam", "--out", "seen", *device], ["seen"]), (["cause", name, *device], []),
        (["compare", name, str(other)], []), (["runs", "."], []),
        (["train", "--resume", name], [name]), (["train", "--resume", name], [name]),
        (["train", "--resume", f"{name}@1"], [name]), (["train", "--resume", f"{name}@best"], [name]),
        (["train", "--resume", name, "--run-dir", "branch", "--epochs", "3"], ["branch", name + "/lock"]),
        (["train", "--resume", f"{name}@1", "--run-dir", "branch"], ["branch", name + "/lock"]),
    ])


def runs_kind(rng, folder, world):
    trial = Trial(folder, may_be_long=True)
    source, other = world.base / rng.choice(["vit", "cnn", "open"]), world.base / rng.choice(["vit", "cnn", "open"])
    run = folder / rng.choice(["run", "run", "run", "a run", "r@n", "-run", "rün"])
    shutil.copytree(source, run)
    others = [path for path in sorted(world.base.glob("*/**/*")) if path.is_file() and path.suffix in (".json", ".safetensors")]
    if rng.random() < 0.85:
        for _ in range(rng.choice([1, 1, 2, 3])):
            damage(rng, trial, run, others)
    trial.command, trial.writes = commands(rng, world, run, other)
    if run.name.startswith("-"):
        trial.command = [f"./{word}" if word.startswith("-run") else word for word in trial.command]
    planted = plants.plant(rng, folder, run) if rng.random() < 0.5 else []
    if "branch" in trial.command and rng.random() < 0.5:
        plants.plant(rng, folder, folder / "branch")
        (folder / "branch/panel").mkdir(parents=True, exist_ok=True)
        (folder / "branch/panel/mine.txt").write_text("mine")
        trial.writes = [run.name + "/lock", *driftscopes_own("branch")]
    if run.name in trial.writes:
        trial.writes = driftscopes_own(run.name)
    trial.story += [f"planted {os.fsencode(path.relative_to(folder))!r}" for path in planted]
    return trial


def driftscopes_own(run):
    """The paths of a run's folder that driftscope writes, replaces or removes itself."""
    names = ["run.json", "lock", "metrics.jsonl", "metrics.csv", "panel", "interrupted", "interrupted.old",
             "interrupted.partial", "superseded-1", "tensorboard"]
    epochs = [f"epoch-{epoch:04}{end}" for epoch in range(6) for end in ("", ".partial")]
    return [f"{run}/{name}" for name in names + epochs]


def configs_kind(rng, folder, world):
    trial = Trial(folder, may_be_long=True, limit=20)
    data = ["--data", str(world.base / "data")] if rng.random() < 0.6 else []
    keys = chosen_keys(rng)
    if rng.random() < 0.5:
        text, trial.story = config_text(rng, keys)
        (folder / "config.toml").write_bytes(text)
        trial.command = ["train", "--config", "config.toml"]
    else:
        trial.command = ["train", "--model", rng.choice(["deit_mini", "resnet_mini"])]
        trial.command += ["--set", "panel.per_class=1", "--set", "panel.overlays=0"]
        for key in keys:
            trial.command += ["--set", f"{key}={value_of(rng, key)}".replace("\0", "")]
            trial.command += ["--set", needs(key)] if needs(key) else []
    if not data:
        trial.command += ["--set", "data.train_per_class=1", "--set", "data.val_per_class=1"]
    trial.command += [*data, "--device", world.device, "--run-dir", "out"]
    trial.command += [] if "epochs" in keys else ["--epochs", "1"]
    trial.command += [] if "batch_size" in keys else ["--batch-size", "4"]
    trial.writes = ["out"]
    return trial


def lists_kind(rng, folder, world):
    trial = Trial(folder)
    World.folders(folder / "plain", 3, 2, 2)
    data = folder / "data"
    lines = {}
    for split in ("train", "val", "test"):
        lines[split] = []
        for label in ("dots", "lines"):
            (data / "images" / label).mkdir(parents=True, exist_ok=True)
            for path in sorted((folder / "plain" / split / label).iterdir()):
                name = f"{label}/{split}{path.name}"
                (data / "images" / name).write_bytes(path.read_bytes())
                lines[split].append(name)
    (data / "labels").mkdir()
    for split, names in lines.items():
        (data / "labels" / f"{split}1.txt").write_bytes(list_text(rng, names))
    if rng.random() < 0.15:
        target = data / "labels" / f"{rng.choice(['train', 'val', 'test'])}1.txt"
        trial.story.append(f"{target.name}: {plants.replace(rng, target, plants.outside(folder))}")
    more = ["--skip-bad-images"] if rng.random() < 0.3 else []
    if rng.random() < 0.5:
        trial.command = ["data", "data", *more]
    else:
        listed = rng.random() < 0.5
        if listed:
            (folder / "list.txt").write_bytes(list_text(rng, lines["val"]))
        panel = "panel.list=list.txt" if listed else "panel.per_class=1"
        trial.command, trial.writes = train(world, "--data", "data", *more, panel=panel), ["out"]
    return trial


def list_text(rng, names):
    """A list of pictures, most of them as it should be."""
    names, newline = list(names), b"\n"
    encoded = [name.encode() for name in names]
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        at = rng.randrange(len(encoded) + 1)
        way = rng.randrange(13)
        strange = [b"../plain/train/dots/0.png", b"/etc/passwd", b"dots", b"dots/", b"/", b"dots/nowhere.png", b"\xff\xfe/x.png",
                   b"dots/\0.png", b"x" * 70_000, b"dots/../lines/train0.png", b"  dots/train0.png  ", b"# note",
                   b"dots\\train0.png", "é/😀.png".encode(), b"dots/train0.png\tlines", b".", b"..", b"./dots/train0.png"]
        if way == 0:
            encoded.insert(at, rng.choice(strange))
        elif way == 1 and encoded:
            encoded.append(rng.choice(encoded))
        elif way == 2:
            encoded = encoded[:at]
        elif way == 3:
            newline = b"\r\n"
        elif way == 4 and encoded:
            encoded[0] = b"\xef\xbb\xbf" + encoded[0]
        elif way == 5:
            encoded.insert(at, b"dots/test0.png")
        elif way == 6:
            encoded = []
        elif way == 7:
            newline = b"\r"
        elif way == 8 and encoded:
            return "\n".join(names).encode("utf-16")
        elif way == 9:
            encoded = [pictures.broken(rng, newline.join(encoded))]
        else:
            encoded.insert(at, rng.choice(strange))
    return newline.join(encoded) + newline


def folders_kind(rng, folder, world):
    trial = Trial(folder, names=["data", "out"])
    root = folder / "data"
    layout = rng.choice(["splits", "splits", "classes", "classes", "valid", "train only", "flat", "nested"])
    if layout in ("splits", "valid", "train only"):
        World.folders(root, 3, 2, 2)
        if layout == "valid":
            (root / "val").rename(root / "valid")
        elif layout == "train only":
            shutil.rmtree(root / "val")
            shutil.rmtree(root / "test")
    else:
        World.folders(folder / "plain", 12, 0, 0)
        source = folder / "plain/train"
        if layout == "flat":
            shutil.copytree(source / "dots", root)
        elif layout == "nested":
            shutil.copytree(source, root / "a/b/c")
        else:
            shutil.copytree(source, root)
    places = [path for path in sorted(root.rglob("*")) if path.is_dir()] + [root]
    for _ in range(rng.choice([1, 2, 3, 6])):
        trial.story.append(litter(rng, folder, rng.choice(places), world))
    more = ["--skip-bad-images"] if rng.random() < 0.4 else []
    where = rng.random()
    if where < 0.55:
        trial.command = ["data", "data", *more]
    elif where < 0.9:
        trial.command, trial.writes = train(world, "--data", "data", *more), ["out"]
        if rng.random() < 0.5:
            plants.plant(rng, folder, folder / "out")
            trial.writes = driftscopes_own("out")
    else:
        trial.command, trial.writes = ["runs", "."], []
    return trial


def litter(rng, folder, place, world):
    """Something in a folder of pictures that is none; what, in words."""
    if not place.is_dir():
        return "nothing"
    good = pictures.png(24, 20)
    elsewhere = plants.outside(folder)
    name = rng.choice(["._0.png", ".hidden.png", ".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "a.PNG", "b.jpeg.tmp",
                       "x.png", "photo@2x.png", "__MACOSX", "sub", ".git", "-n.png", "n" * 250 + ".png", "new\nline.png",
                       "<b>&\"'.png", "a,b", "label", "checkpoints", "explained", "é😀.png", "@eaDir", "0.png.partial"])
    path = place / name
    if os.path.lexists(path):
        return "nothing"
    way = rng.choice(["picture", "picture", "junk", "empty", "folder", "full folder", "pipe", "link out", "broken link", "loop",
                      "itself", "device", "not UTF-8", "a run", "no rights"])
    if way == "picture":
        path.write_bytes(good)
    elif way == "junk":
        path.write_bytes(b"\0\1\2 junk")
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "folder":
        path.mkdir()
    elif way == "full folder":
        (path / "deeper").mkdir(parents=True)
        (path / "one.png").write_bytes(good)
        (path / "deeper/two.png").write_bytes(good)
    elif way == "pipe":
        os.mkfifo(path)
    elif way == "link out":
        path.symlink_to(elsewhere)
    elif way == "broken link":
        path.symlink_to("nowhere")
    elif way == "loop":
        path.symlink_to(folder / "data")
    elif way == "itself":
        path.symlink_to(path.name)
    elif way == "device":
        path.symlink_to(rng.choice(["/dev/zero", "/dev/null", "/dev/stdin"]))
    elif way == "not UTF-8":
        with open(os.path.join(os.fsencode(place), b"caf\xe9-" + rng.randbytes(2).hex().encode() + b".png"), "wb") as out:
            out.write(good)
    elif way == "a run":
        path.mkdir()
        shutil.copy(world.base / "vit/run.json", path)
    elif way == "no rights":
        path.write_bytes(good)
        os.chmod(path, 0)
    return f"{name[:20]!r} in {place.name}: {way}"


KINDS = {"pictures": pictures_kind, "weights": weights_kind, "runs": runs_kind, "configs": configs_kind,
         "lists": lists_kind, "folders": folders_kind}
