"""Every method by its formula, in plain PyTorch: used by explain.py, beside the libraries that have it, and by
goldens_explain.py; timm 1.0.22, torchvision 0.24.1, torch 2.9.1.

The map of a spec, `kind:key=value:…`, is raw: signed, unnormalised, at the grid of what the method reads. The target
is the logit of each image's label. Images do not mix: a batch is only faster.
"""

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

CAMS = ["grad-cam", "grad-cam-plus-plus", "hires-cam", "layer-cam", "xgrad-cam", "eigen-cam"]
# Occlusion costs a pass for each place of its window, so it is asked for apart.
PIXELS = ["input-gradient", "input-gradient:times_input=true", "integrated-gradients:steps=10"]
OCCLUSION = ["occlusion:window=1", "occlusion:window=3"]
ROLLOUTS = ["rollout", "rollout:fusion=max", "rollout:fusion=min", "rollout:discard=0.9", "rollout:residual=0.25",
            "rollout:start_block=1", "rollout:fusion=max:discard=0.5:residual=0.3:start_block=2",
            "rollout:per_head=true"]
ATTENTION = ["raw-attention", "raw-attention:block=0", *ROLLOUTS, "gradient-rollout", "gradient-rollout:discard=0.9",
             "generic-relevance", "le-grad"]


def all_specs(model):
    """Those that this model has, but for smooth-grad, whose noise is the Rust side's, and occlusion."""
    if is_vit(model):
        return CAMS + [f"{cam}:layer={len(model.blocks) // 2}" for cam in CAMS] + ATTENTION + PIXELS
    return CAMS + [f"{cam}:layer={stage}" for stage in (1, 2, 3) for cam in CAMS] + PIXELS


def parse(spec):
    """Its kind and its settings."""
    kind, *settings = spec.split(":")
    return kind, dict(setting.split("=") for setting in settings)


def is_vit(model):
    return hasattr(model, "blocks")


def explain(model, images, labels, specs, noise=None):
    """`maps.SPEC` for every spec, and what some have beside it."""
    seen = Seen(model, images, labels, noise)
    results = {}
    for spec in specs:
        kind, settings = parse(spec)
        found = METHODS[kind](seen, **settings)
        found = found if isinstance(found, dict) else {"maps": found}
        results |= {f"{name}.{spec}": np.asarray(value.detach()) for name, value in found.items()}
    return results


class Seen:
    """One pass in evaluation mode: what it showed at every tap, and its derivatives."""

    def __init__(self, model, images, labels, noise):
        self.model, self.images, self.labels, self.drawn = model.eval(), images, labels, noise
        if is_vit(model):
            for block in model.blocks:
                block.attn.fused_attn = False  # or there is no attention to see
            taps = [("tokens", block.norm1) for block in model.blocks]
            taps += [("attention", block.attn.attn_drop) for block in model.blocks]
            taps += [("blocks", block) for block in model.blocks]
        else:
            taps = [("stages", getattr(model, f"layer{stage}")) for stage in (1, 2, 3, 4)]
        self.taps = {name: [] for name, _ in taps}
        keep = lambda name: lambda module, inputs, output: self.taps[name].append(output)
        handles = [module.register_forward_hook(keep(name)) for name, module in taps]
        self.logits = self.target(model(images))
        for handle in handles:
            handle.remove()

    def target(self, logits):
        """The logit of each image's label."""
        return logits.gather(1, self.labels.repeat(len(logits) // len(self.labels)).unsqueeze(1)).squeeze(1)

    def gradients(self, name, target=None):
        """Images do not mix, so the gradient of the sum is that of each."""
        target = self.logits if target is None else target
        return torch.autograd.grad(target.sum(), self.taps[name], retain_graph=True, allow_unused=True)

    def layer(self, index):
        """Values and gradients as `[batch, channels, height, width]`."""
        name = "tokens" if is_vit(self.model) else "stages"
        index = -1 if index is None else int(index) - (name == "stages")
        both = self.taps[name][index].detach(), self.gradients(name)[index]
        return tuple(grid(values) for values in both) if name == "tokens" else both

    def pixels(self, images):
        """The derivative of the target by every pixel."""
        images = images.detach().requires_grad_()
        return torch.autograd.grad(self.target(self.model(images)).sum(), images)[0]

    def cells(self, attributions):
        """Summed over channels and over the pixels of each cell."""
        side = self.cell()
        return avg_pool2d(attributions.sum(1, keepdim=True), side).squeeze(1) * side**2

    def cell(self):
        """Its side, in pixels."""
        return cell_side(self.model, self.images)


def cell_side(model, images):
    if is_vit(model):
        return model.patch_embed.patch_size[0]
    side = images.shape[-1]
    for module in (model.conv1, model.maxpool, *(model.get_submodule(f"layer{n}")[0].conv2 for n in (1, 2, 3, 4))):
        stride = module.stride if isinstance(module.stride, int) else module.stride[0]
        side //= stride
    return images.shape[-1] // side


def grid(tokens):
    """Tokens as pytorch-grad-cam's reshape_transform gives them: without the class token, channels first."""
    patches = tokens[:, 1:].transpose(1, 2)
    side = int(patches.shape[2] ** 0.5)
    return patches.unflatten(2, (side, side))


def row(values):
    """The patches' share of a row of tokens, `[…, tokens]`."""
    patches = values[..., 1:]
    side = int(patches.shape[-1] ** 0.5)
    return patches.unflatten(-1, (side, side))


def grad_cam(seen, layer=None):
    values, gradients = seen.layer(layer)
    return (gradients.mean((2, 3), keepdim=True) * values).sum(1)


def grad_cam_plus_plus(seen, layer=None):
    values, gradients = seen.layer(layer)
    sums = values.sum((2, 3), keepdim=True)
    share = gradients**2 / (2 * gradients**2 + sums * gradients**3 + 1e-6)
    weights = (gradients.relu() * torch.where(gradients != 0, share, 0)).sum((2, 3), keepdim=True)
    return (weights * values).sum(1)


def hires_cam(seen, layer=None):
    values, gradients = seen.layer(layer)
    return (gradients * values).sum(1)


def layer_cam(seen, layer=None):
    values, gradients = seen.layer(layer)
    return (gradients.relu() * values).sum(1)


def xgrad_cam(seen, layer=None):
    values, gradients = seen.layer(layer)
    weights = (gradients * values / (values.sum((2, 3), keepdim=True) + 1e-7)).sum((2, 3), keepdim=True)
    return (weights * values).sum(1)


def eigen_cam(seen, layer=None):
    """The centred activations' first principal component, of arbitrary sign."""
    values, _ = seen.layer(layer)
    centred = (values - values.mean((2, 3), keepdim=True)).flatten(2).transpose(1, 2)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    return (centred @ directions[:, 0].unsqueeze(2)).squeeze(2).unflatten(1, values.shape[2:])


def raw_attention(seen, block=-1):
    return row(seen.taps["attention"][int(block)].detach().mean(1)[:, 0])


def roll(fused, residual=0.5, discard=0.0):
    """`R ← rows-normalised((1 − residual)·fused + residual·I)·R` over the blocks: every R on the way."""
    rolled, way = torch.eye(fused[0].shape[-1], dtype=fused[0].dtype), []
    for attention in fused:
        flat = attention.flatten(1).clone()
        lowest = flat.topk(int(flat.shape[1] * discard), largest=False).indices
        protected = flat[:, 0].clone()
        flat.scatter_(1, lowest, 0)
        flat[:, 0] = protected
        step = (1 - residual) * flat.view_as(attention) + residual * torch.eye(attention.shape[-1], dtype=flat.dtype)
        rolled = step / step.sum(-1, keepdim=True) @ rolled
        way.append(rolled)
    return way


FUSIONS = {"mean": lambda heads: heads.mean(1), "max": lambda heads: heads.amax(1), "min": lambda heads: heads.amin(1)}


def rollout(seen, fusion="mean", discard=0.0, residual=0.5, start_block=0, per_head="false"):
    blocks = [attention.detach() for attention in seen.taps["attention"]][int(start_block) :]
    settings = {"residual": float(residual), "discard": float(discard)}
    results = {"maps": row(roll([FUSIONS[fusion](block) for block in blocks], **settings)[-1][:, 0])}
    if per_head == "true":
        heads = [roll([block[:, head] for block in blocks], **settings) for head in range(blocks[0].shape[1])]
        layers = torch.stack([torch.stack([rolled[:, 0] for rolled in way], 1) for way in heads], 2)
        results["layers"] = row(layers)
    return results


def gradient_rollout(seen, discard=0.0):
    both = zip(seen.taps["attention"], seen.gradients("attention"))
    return row(roll([(values.detach() * gradient).mean(1).relu() for values, gradient in both],
                    discard=float(discard))[-1][:, 0])


def generic_relevance(seen):
    relevance = torch.eye(seen.taps["attention"][0].shape[-1], dtype=seen.images.dtype)
    for values, gradient in zip(seen.taps["attention"], seen.gradients("attention")):
        relevance = relevance + (values.detach() * gradient).relu().mean(1) @ relevance
    return row(relevance[:, 0])


def le_grad(seen, tokens="class"):
    """`tokens=mean` is the authors' own and torch-cam's: the head is asked about the mean of all tokens."""
    maps = []
    for index, output in enumerate(seen.taps["blocks"]):
        pooled = output[:, 0] if tokens == "class" else output.mean(1)
        target = seen.target(seen.model.head(seen.model.norm(pooled)))
        maps.append(row(seen.gradients("attention", target)[index].relu().mean((1, 2))))
    return torch.stack(maps).mean(0)


def input_gradient(seen, times_input="false"):
    gradients = seen.pixels(seen.images)
    return seen.cells(gradients * seen.images if times_input == "true" else gradients.abs())


def smooth_grad(seen, **_):
    """The same noise, `[samples, 3, height, width]`, for every image."""
    return seen.cells(sum(seen.pixels(seen.images + draw) for draw in seen.drawn).div(len(seen.drawn)).abs())


def integrated_gradients(seen, steps):
    nodes, weights = np.polynomial.legendre.leggauss(int(steps))
    path = sum(weight / 2 * seen.pixels(seen.images * (1 + node) / 2) for node, weight in zip(nodes, weights))
    attributions = path * seen.images
    start = seen.target(seen.model(torch.zeros_like(seen.images)))
    return {"maps": seen.cells(attributions), "gap": attributions.sum((1, 2, 3)) - (seen.logits - start)}


@torch.no_grad()
def occlusion(seen, window):
    window, side = int(window), seen.cell()
    cells = seen.images.shape[-1] // side
    lost, covered = torch.zeros(len(seen.images), cells, cells, dtype=seen.images.dtype), torch.zeros(cells, cells)
    for top in range(cells - window + 1):
        for left in range(cells - window + 1):
            images, place = seen.images.clone(), (slice(top, top + window), slice(left, left + window))
            images[:, :, top * side : (top + window) * side, left * side : (left + window) * side] = 0
            lost[:, *place] += (seen.logits - seen.target(seen.model(images)))[:, None, None]
            covered[place] += 1
    return lost / covered


METHODS = {function.__name__.replace("_", "-"): function for function in (
    grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam, eigen_cam, raw_attention, rollout, gradient_rollout,
    generic_relevance, le_grad, input_gradient, smooth_grad, integrated_gradients, occlusion)}
