"""Every setting of a config file, with values at its edges, beyond them, and of other types."""

import pictures

WHOLE = ["0", "1", "2", "3", "-1", "255", "256", "65536", "1000000", "4294967295", "4294967296", "9223372036854775807",
         "9223372036854775808", "18446744073709551615", "99999999999999999999999", "1.5", "1e3", "nan"]
REAL = ["0", "0.0", "-0.0", "1", "0.5", "1.0", "-1.0", "1e-320", "1e-45", "1e-30", "1e30", "1e300", "1.7976931348623157e308", "1e309",
        "inf", "-inf", "nan", "0.9999999999999999", "1.0000000000000002", "2", "100"]
ODD = ["\"\"", "\"x\"", "true", "[]", "{}", "[1, 2]", "[[1]]", "1979-05-27", "\"é😀\"", "\"" + "x" * 3000 + "\"", "{ kind = 1 }",
       "'''a\nb'''", "\"\\u0000\"", "0x7fffffffffffffff", "1_000", "", "= 1", "[", "\"unclosed"]
TRUTH = ["true", "false", "1", "\"true\""]


def pair(rng):
    return f"[{rng.choice(REAL)}, {rng.choice(REAL)}]"


def word(*words):
    return [f"\"{one}\"" for one in words]


EXPLAINERS = ["grad-cam", "grad-cam-plus-plus", "hires-cam", "layer-cam", "xgrad-cam", "eigen-cam", "raw-attention", "rollout",
              "gradient-rollout", "generic-relevance", "le-grad", "input-gradient", "smooth-grad", "integrated-gradients",
              "occlusion", "tea-leaves", ""]
OPTIONS = {"layer": WHOLE[:8], "block": WHOLE[:8], "fusion": ["max", "min", "mean", "most"], "discard": REAL, "residual": REAL,
           "start_block": WHOLE, "per_head": TRUTH, "samples": WHOLE[:5], "noise": REAL, "steps": WHOLE[:5], "window": WHOLE,
           "stride": WHOLE, "baseline": REAL + ["black", "mean"]}


def explainer(rng):
    text = rng.choice(EXPLAINERS)
    for _ in range(rng.choice([0, 1, 1, 2])):
        key = rng.choice(list(OPTIONS))
        text += f":{key}={rng.choice(OPTIONS[key])}"
    return f"\"{text}\""


def policy(rng):
    kind = rng.choice(["rand-augment", "trivial-augment-wide", "none", ""])
    more = f", operations = {rng.choice(WHOLE)}, magnitude = {rng.choice(WHOLE)}" if rng.random() < 0.7 else ""
    return f"{{ kind = \"{kind}\"{more} }}"


# A number of pictures that is drawn for real is kept small or absurd.
COUNTS = ["0", "1", "2", "-1", "9223372036854775807", "4611686018427387904", "1.5", "nan"]

KEYS = {
    "model": word("deit_mini", "resnet_mini", "vgg", ""), "weights": word("none", "pretrained", "nowhere.pth", "", "."),
    "allow_missing": ["[\"*\"]", "[\"[\"]", "[1]", "\"*\""], "drop_path": REAL, "epochs": WHOLE, "batch_size": WHOLE,
    "accumulate": WHOLE, "seed": WHOLE, "label_smoothing": REAL, "data.source": word("textures", "dtd", "nowhere", "", "."),
    "data.split": WHOLE, "data.classes": ["[]", "[\"dots\"]", "[\"dots\", \"dots\"]", "[\"nobody\"]", "[\"\"]", "[1]"],
    "data.skip_bad_images": TRUTH, "data.train_per_class": COUNTS, "data.val_per_class": COUNTS, "data.seed": WHOLE,
    "preprocessing.resize": WHOLE, "preprocessing.interpolation": word("bicubic", "bilinear", "nearest"),
    "augmentation.crop_scale": pair, "augmentation.crop_ratio": pair, "augmentation.flip": REAL,
    "augmentation.colour_jitter": lambda rng: f"[{', '.join(rng.choice(REAL) for _ in range(rng.choice([4, 4, 4, 3])))}]",
    "augmentation.policy": policy, "augmentation.erasing": REAL, "augmentation.erasing_area": pair,
    "augmentation.erasing_ratio": pair, "augmentation.mixup": REAL, "augmentation.cutmix": REAL,
    "optimizer.kind": word("adamw", "adam", "sgd", "lion"), "optimizer.betas": pair, "optimizer.epsilon": REAL,
    "optimizer.momentum": REAL, "optimizer.nesterov": TRUTH, "optimizer.weight_decay": REAL, "optimizer.decay_all": TRUTH,
    "optimizer.layer_decay": REAL, "optimizer.clip_norm": REAL, "schedule.learning_rate": REAL,
    "schedule.decay": word("cosine", "step", "constant", "linear"), "schedule.minimum": REAL, "schedule.step_epochs": WHOLE,
    "schedule.step_factor": REAL, "schedule.warmup_epochs": REAL, "schedule.warmup_start": REAL,
    "freeze.head_only_epochs": WHOLE, "freeze.batch_norm": TRUTH, "ema.decay": REAL, "ema.warmup": TRUTH,
    "early_stopping.patience": WHOLE, "early_stopping.stable_epochs": WHOLE, "checkpoints.keep_best": WHOLE,
    "checkpoints.keep_last": WHOLE, "checkpoints.stable_within": REAL, "panel.per_class": WHOLE, "panel.seed": WHOLE,
    "panel.overlays": WHOLE, "panel.list": word("nowhere.txt", "", "."),
    "panel.targets": ["[]", "[\"label\"]", "[\"prediction\", \"label\"]", "[\"nobody\"]", "[\"label\", \"label\"]", "[\"\"]"],
    "explainers": lambda rng: f"[{', '.join(explainer(rng) for _ in range(rng.choice([0, 1, 1, 2])))}]",
    "nobody.knows": WHOLE, "epochs.more": WHOLE, "data": ODD, "panel": ODD, "": ODD, "é": ODD,
}
# What stands beside it, so that a value is reached and not refused as idle.
BESIDE = {"augmentation.erasing_area": "augmentation.erasing=1.0", "augmentation.erasing_ratio": "augmentation.erasing=1.0",
          "optimizer.momentum": "optimizer.kind=sgd", "optimizer.nesterov": "optimizer.kind=sgd", "ema.warmup": "ema.decay=0.9",
          "schedule.step_epochs": "schedule.decay=step", "schedule.step_factor": "schedule.decay=step"}


def value_of(rng, key):
    choices = KEYS[key]
    if rng.random() < 0.1:
        return rng.choice(ODD)
    return choices(rng) if callable(choices) else rng.choice(choices)


# Numbers that are multiplied or compared with one another.
TOGETHER = [("batch_size", "accumulate"), ("epochs", "schedule.warmup_epochs"), ("epochs", "freeze.head_only_epochs"),
            ("data.train_per_class", "batch_size"), ("panel.per_class", "panel.overlays"),
            ("schedule.learning_rate", "schedule.minimum"), ("augmentation.crop_scale", "augmentation.crop_ratio"),
            ("augmentation.erasing_area", "augmentation.erasing_ratio"), ("ema.decay", "ema.warmup"),
            ("augmentation.mixup", "augmentation.cutmix"), ("early_stopping.patience", "early_stopping.stable_epochs")]


def chosen_keys(rng):
    """The keys that a trial sets: one, a few, or two that work together."""
    if rng.random() < 0.25:
        return list(rng.choice(TOGETHER))
    return [rng.choice(list(KEYS)) for _ in range(rng.choice([1, 1, 1, 2, 3]))]


def needs(key):
    return BESIDE.get(key)


def config_text(rng, keys):
    """The bytes of a config file, and what is strange in it."""
    chosen = {"model": "\"deit_mini\"", "panel.per_class": "1", "panel.overlays": "0"}
    story = []
    for key in keys:
        if key:
            value = value_of(rng, key)
            chosen[key] = value
            story.append(f"{key} = {value[:60]}")
            if needs(key):
                beside, its = needs(key).split("=")
                chosen.setdefault(beside, its if its[0].isdigit() else f"\"{its}\"")
    text = "".join(f"{key} = {value}\n" for key, value in chosen.items()).encode()
    if rng.random() < 0.15:
        text = pictures.broken(rng, text)
        story.append("and its bytes")
    if rng.random() < 0.05:
        text = b"\xef\xbb\xbf" + text
    return text, story
