"""A user's own files where driftscope works, and links and pipes in their way: nothing of it may be touched."""

import os


def outside(folder):
    """A folder of the user's beside everything, which links lead to."""
    place = folder / "elsewhere"
    (place / "deep").mkdir(parents=True, exist_ok=True)
    for name in ("other.tmp", "deep/thesis.partial", "run.json.tmp", "model.safetensors"):
        (place / name).write_bytes(b"mine: " + name.encode())
    os.chmod(place / "other.tmp", 0o640)
    return place


def plant(rng, folder, place):
    """Some of the user's files in `place`; the paths of those that stand there, below `folder`."""
    made, elsewhere = [], outside(folder)

    def add(name, make):
        path = place / name
        if not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)
            made.append(path)

    def file(path):
        path.write_bytes(b"the user's own: " + path.name.encode())

    choices = [
        ("notes.tmp", file), ("sub/deep/thesis.tmp", file), ("download.partial/model.bin", file), ("x.partial", file),
        (".notes.txt.17.tmp", file), (".run.json.copy.tmp", file), ("epoch-9.partial/mine.txt", file),
        ("epoch-0001 (copy)/mine.txt", file), ("epoch-notes/a.tmp", file), ("panel.bak/000.png", file),
        ("superseded/mine.tmp", file), ("away", lambda path: path.symlink_to(elsewhere)),
        ("away.partial", lambda path: path.symlink_to(elsewhere)), ("back", lambda path: path.symlink_to(folder)),
        ("up/again", lambda path: path.symlink_to("..")), ("self", lambda path: path.symlink_to("self")),
        ("gone.tmp", lambda path: path.symlink_to("nowhere")), ("pipe.tmp", os.mkfifo), ("pipe", os.mkfifo),
        ("über ü\n.tmp", file), ("metrics.csv.bak", file), ("tensorboard.old/events.tmp", file),
    ]
    for name, make in rng.sample(choices, rng.choice([1, 2, 4, 8])):
        add(name, make)
    if rng.random() < 0.3:
        path = os.path.join(os.fsencode(place), b"caf\xe9.tmp")
        with open(path, "wb") as out:
            out.write(b"not UTF-8")
    return made


def replace(rng, path, elsewhere):
    """Puts something else where a file is; what, in words."""
    way = rng.choice(["nothing", "a folder", "a full folder", "a link out", "a link to itself", "a pipe", "an empty file",
                      "a link to an endless device", "a link to a folder"])
    is_dir = path.is_dir() and not path.is_symlink()
    if is_dir:
        aside = path.with_name(path.name + ".moved")
        path.rename(aside)
    else:
        path.unlink()
    if way == "a folder":
        path.mkdir()
    elif way == "a full folder":
        path.mkdir()
        (path / "mine.txt").write_bytes(b"mine")
    elif way == "a link out":
        path.symlink_to(elsewhere / "other.tmp")
    elif way == "a link to itself":
        path.symlink_to(path.name)
    elif way == "a pipe":
        os.mkfifo(path)
    elif way == "an empty file":
        path.write_bytes(b"")
    elif way == "a link to an endless device":
        path.symlink_to("/dev/zero")
    elif way == "a link to a folder":
        path.symlink_to(elsewhere)
    return way
