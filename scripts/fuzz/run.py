#!/usr/bin/env python3
"""Breaks pictures, weights, runs, configs, lists and folders, and sees that driftscope takes it well.

usage: scripts/fuzz/run.py [--minutes M | --trials N] [--seed S] [--only KIND,…] [--binary FILE] [--replay TRIAL]

Each trial makes one small folder with something wrong in it and runs one command there. The command must end within its
time, by itself, with code 0, 1, 2 or 130; never by a panic, an abort or a signal; where it fails with one error that says
what is wrong with which file or flag; and what is the user's must be to the byte, mode and link what it was.

A trial is a function of its kind, the seed and its number: KIND:SEED:NUMBER. Those that fail keep their folder in --keep,
with the command and what it printed. Two workers. Python's standard library is all it needs.
"""

import argparse
import multiprocessing
import random
import shutil
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from kinds import KINDS
from world import World, judged, run, snapshot, touched

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2


def attempt(world, name, options):
    """One trial: its problems, and what it ran."""
    kind = name.split(":")[0]
    rng = random.Random(name)
    # Deep enough that what climbs out of it is seen too.
    outer, inner = world.root / "trial", "in/here"
    shutil.rmtree(outer, ignore_errors=True)
    folder = outer / inner
    folder.mkdir(parents=True)
    trial = KINDS[kind](rng, folder, world)
    before, writes = snapshot(outer), [f"{inner}/{path}" for path in trial.writes]
    ended = run(world.binary, trial.command, folder, world.home, min(options.limit, trial.limit))
    problems = judged(trial, ended, touched(before, snapshot(outer), writes) + world.untouched())
    if problems or options.replay:
        keep(options, name, world, trial, ended, problems)
    return problems, trial, ended


def keep(options, name, world, trial, ended, problems):
    """Leaves all there is to see of a failed trial in a folder of its own."""
    place = options.keep / name.replace(":", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copytree(trial.folder, place / "after", symlinks=True, copy_function=copy_plain)
    again = f"{Path(__file__).relative_to(ROOT)} --binary {world.binary} --device {options.device} --replay {name}"
    text = [f"again:    {again}", f"command:  driftscope {trial.command}", f"code:     {ended.code} after {ended.seconds:.1f} s"]
    text += [f"done:     {line}" for line in trial.story] + [f"problem:  {line}" for line in problems]
    (place / "trial.txt").write_text("\n".join([*text, "", "stderr:", ended.stderr[-20000:], "stdout:", ended.stdout[-5000:]]),
                                     errors="replace")


def copy_plain(source, target):
    """Pipes and what may not be read are left out of the copy."""
    if Path(source).is_file():
        shutil.copy2(source, target)


def work(index, options, numbers, results, until):
    world = World(options.binary, options.work / f"worker{index}", options.device)
    kinds = options.only or list(KINDS)
    while time.time() < until:
        with numbers.get_lock():
            number = numbers.value
            numbers.value += 1
        if options.trials and number >= options.trials:
            return
        name = f"{kinds[number % len(kinds)]}:{options.seed}:{number}"
        try:
            problems, trial, ended = attempt(world, name, options)
        except Exception:  # a fault of this script's own must be seen, not end the worker
            results.put((name, ["the script: " + traceback.format_exc()], [], None, 0.0))
            continue
        results.put((name, problems, trial.command, ended.code, ended.seconds))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--trials", type=int, help="so many, however long they take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=lambda text: text.split(","), help=",".join(KINDS))
    parser.add_argument("--binary", type=Path, default=ROOT / "target/debug/driftscope")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=float, default=60, help="seconds a command may take")
    parser.add_argument("--keep", type=Path, default=ROOT / "target/fuzz/failures")
    parser.add_argument("--work", type=Path, default=ROOT / "target/fuzz")
    parser.add_argument("--replay", metavar="TRIAL", help="one trial again, as KIND:SEED:NUMBER")
    options = parser.parse_args()
    for name in ("binary", "keep", "work"):
        setattr(options, name, getattr(options, name).resolve())
    unknown = [kind for kind in options.only or [] if kind not in KINDS]
    if unknown:
        parser.error(f"--only {','.join(unknown)}: expected {','.join(KINDS)}")
    if not options.binary.is_file():
        parser.error(f"--binary {options.binary}: no such file; build it with cargo build")
    return options


def replay(options):
    world = World(options.binary, options.work / "worker0", options.device)
    problems, trial, ended = attempt(world, options.replay, options)
    print(f"driftscope {trial.command}\n{trial.story}\ncode {ended.code} after {ended.seconds:.1f} s\n{ended.stderr}")
    print("\n".join(problems) or "no problem", f"\nkept in {options.keep}")
    return 1 if problems else 0


def main():
    options = arguments()
    if options.replay:
        return replay(options)
    context = multiprocessing.get_context("fork")
    numbers, results = context.Value("q", 0), context.Queue()
    until = time.time() + (1e9 if options.trials else options.minutes * 60)
    workers = [context.Process(target=work, args=(index, options, numbers, results, until)) for index in range(WORKERS)]
    for worker in workers:
        worker.start()
    tried, failed, codes = Counter(), Counter(), Counter()
    while any(worker.is_alive() for worker in workers) or not results.empty():
        try:
            name, problems, command, code, seconds = results.get(timeout=0.5)
        except Exception:  # nothing came
            continue
        kind = name.split(":")[0]
        tried[kind] += 1
        codes[code] += 1
        if problems:
            failed[kind] += 1
            print(f"FAILED {name}: {'; '.join(problems)[:400]}\n       {' '.join(command)[:300]!r}", flush=True)
    if any(worker.exitcode for worker in workers):
        print("a worker ended before its time")
        return 1
    by_kind = ", ".join(f"{kind} {tried[kind]:,}" + (f" ({failed[kind]} failed)" if failed[kind] else "") for kind in tried)
    ends = ", ".join(f"{code}: {number:,}" for code, number in sorted(codes.items(), key=str))
    print(f"{tried.total():,} trials, {failed.total():,} failures · {by_kind} · exit codes {ends}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
