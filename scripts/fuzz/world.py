"""What a trial happens in: small data and runs to start from, a guarded process, and what of the user's was touched."""

import hashlib
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pictures

# A process that wants more is judged as one that wants too much: half of a small machine.
MEMORY = 9 << 30
# After a signal a process has so long to finish its step and save.
GRACE = 20


@dataclass
class Trial:
    """A folder with one thing wrong in it, and what is run there."""

    folder: Path
    command: list = field(default_factory=list)
    # Paths below the folder that the command may make or change.
    writes: list = field(default_factory=list)
    # One of these must be in the message of a failure; none: a path or a flag of any kind.
    names: list = field(default_factory=list)
    # What was done, in words.
    story: list = field(default_factory=list)
    # Whether the work asked for may be endless: then a signal must end it.
    may_be_long: bool = False
    # Seconds that it is given, where it is less than usual.
    limit: float = 600


@dataclass
class Ended:
    code: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool


def environment(home):
    """Nothing of this machine's user: its own home and caches."""
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LIBTORCH") if name in os.environ}
    return keep | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "DRIFTSCOPE_CACHE": str(home / "cache/own"),
                   "LANG": "C.UTF-8", "TERM": "dumb", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "2"}


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(binary, command, folder, home, limit):
    """Runs it to its end, or to the limit: then it gets a signal, and after that no more time than GRACE."""
    started = time.monotonic()
    child = subprocess.Popen([str(binary), *command], cwd=folder, env=environment(home), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limits)
    timed_out = False
    try:
        out, err = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        timed_out = True
        child.send_signal(signal.SIGINT)
        try:
            out, err = child.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
    seconds = time.monotonic() - started
    return Ended(child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), seconds, timed_out)


def entry(path):
    """What a file, folder, link or pipe is, to the byte."""
    about = os.lstat(path)
    kind, mode = stat.S_IFMT(about.st_mode), stat.S_IMODE(about.st_mode)
    if stat.S_ISLNK(about.st_mode):
        return kind, None, os.readlink(path)
    if stat.S_ISREG(about.st_mode):
        with open(path, "rb") as file:
            return kind, mode, hashlib.file_digest(file, "sha256").hexdigest()
    return kind, mode, None


def snapshot(folder):
    """Every path below a folder, as bytes since names may be anything, with what it is. Links are not followed."""
    found, folders = {}, [os.fsencode(folder)]
    while folders:
        here = folders.pop()
        for name in os.listdir(here):
            path = os.path.join(here, name)
            found[os.path.relpath(path, os.fsencode(folder))] = entry(path)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                folders.append(path)
    return found


def touched(before, after, writes):
    """What is gone, changed or new outside of what the command may write."""
    allowed = [os.fsencode(path) for path in writes]
    free = lambda path: any(path == one or path.startswith(one + b"/") for one in allowed)
    problems = []
    for path, was in before.items():
        if free(path):
            continue
        if path not in after:
            problems.append(f"is gone: {path!r}")
        elif after[path] != was:
            problems.append(f"was changed: {path!r} {was} -> {after[path]}")
    problems += [f"was made: {path!r}" for path in after if path not in before and not free(path)]
    return problems


PATH_OR_FLAG = re.compile(r"[\w.\-@]*/[\w.\-@]*|--\w+|\w+\.\w+|'[^']*'|panel|data|config|setting|run|epoch")


def judged(trial, ended, changes):
    """What is wrong with how a command ended; nothing, where it did well."""
    problems = [f"the user's file {change}" for change in changes]
    text = ended.stderr
    alive = trial.may_be_long and ended.code in (0, 130)
    if ended.timed_out and not alive:
        problems.append(f"hangs: {ended.seconds:.0f} s, then code {ended.code}")
    elif ended.code not in (0, 1, 2, 130):
        problems.append(f"ends with code {ended.code}" + (", a signal" if ended.code < 0 else ""))
    for word in ("panicked", "RUST_BACKTRACE", "memory allocation", "stack overflow", "core dumped", "terminate called"):
        if word in text or word in ended.stdout:
            problems.append(f"says '{word}'")
    if ended.code in (1, 2) and not problems:
        errors = re.findall(r"(?m)^error: ?(.*)", text)
        if len(errors) != 1:
            problems.append(f"prints {len(errors)} errors")
        elif not errors[0].strip():
            problems.append("prints an empty error")
        elif trial.names and not any(name in text for name in trial.names):
            problems.append(f"names none of {trial.names}")
        elif not PATH_OR_FLAG.search(errors[0]):
            problems.append("names neither a path nor a flag")
    return problems


SMALL = """model = "{model}"
epochs = {epochs}
batch_size = 4
explainers = [{explainers}]
[data]
source = "{data}"
[panel]
per_class = 1
overlays = 1
[optimizer]
{optimizer}
[checkpoints]
keep_best = 0
keep_last = {keep}
{more}"""


class World:
    """Shared by the trials of one worker, and never changed by them."""

    def __init__(self, binary, root, device):
        self.binary, self.root, self.device = binary, root, device
        self.home, self.base = root / "home", root / "base"
        self.home.mkdir(parents=True, exist_ok=True)
        if not (self.base / "complete").exists():
            shutil.rmtree(self.base, ignore_errors=True)
            self.base.mkdir()
            self.make()
            (self.base / "complete").touch()
        self.kept = snapshot(self.base)

    def make(self):
        self.folders(self.base / "data")
        sgd = 'kind = "sgd"\nmomentum = 0.0'
        self.train("vit", "deit_mini", 2, '"grad-cam", "rollout"', sgd, 1, "")
        self.train("cnn", "resnet_mini", 2, '"grad-cam"', 'kind = "adamw"', 2, "[ema]\ndecay = 0.5\n")
        self.train("open", "deit_mini", 3, '"rollout:per-head=true"', sgd, 1, "", stop_at="epoch-0002.partial")
        self.must("export", "vit", "vit.safetensors")
        self.must("export", "cnn", "cnn.safetensors")

    def train(self, name, model, epochs, explainers, optimizer, keep, more, stop_at=None):
        text = SMALL.format(model=model, epochs=epochs, data=self.base / "data", explainers=explainers,
                            optimizer=optimizer, keep=keep, more=more)
        (self.base / f"{name}.toml").write_text(text)
        command = ["train", "--config", f"{name}.toml", "--run-dir", name, "--device", self.device]
        if stop_at is None:
            self.must(*command)
            return
        child = subprocess.Popen([str(self.binary), *command], cwd=self.base, env=environment(self.home),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and not (self.base / name / stop_at).exists():
            time.sleep(0.002)
        child.send_signal(signal.SIGINT)
        if child.wait() != 130:
            raise SystemExit(f"{command}: expected it to stop by a signal, found {child.returncode}")

    def must(self, *command):
        ended = run(self.binary, list(command), self.base, self.home, 300)
        if ended.code != 0:
            raise SystemExit(f"{command} ends with {ended.code}: {ended.stderr}")

    @staticmethod
    def folders(root, train=3, val=2, test=2):
        """Two classes of stripes in train/, val/ and test/."""
        for split, number in (("train", train), ("val", val), ("test", test)):
            for label, name in enumerate(("dots", "lines")):
                folder = root / split / name
                folder.mkdir(parents=True)
                for index in range(number):
                    (folder / f"{index}.png").write_bytes(pictures.png(24, 20, salt=label * 9 + index))

    def untouched(self):
        """What the last trial did to what all of them share; it is made anew then."""
        changes = touched(self.kept, snapshot(self.base), [])
        if changes:
            shutil.rmtree(self.base)
            self.base.mkdir()
            self.make()
            (self.base / "complete").touch()
            self.kept = snapshot(self.base)
        return [f"{change} (shared)" for change in changes]
