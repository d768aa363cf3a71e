"""Every explainer against the libraries that have it, 2 pictures, raw maps and as pytorch-grad-cam scales them.

usage: explain.py [--self]      pytorch-grad-cam 1.5.5, captum 0.8.0, torchcam 0.5.0, timm 1.0.22, torchvision 0.24.1,
                                torch 2.9.1; trained weights from DRIFTSCOPE_WEIGHTS

The libraries work in float64 here, so that what is measured is the Rust side's rounding and not theirs as well. What
no package has (the rollouts, generic relevance) is compared with the formulas of explainers.py in float64. `--self`
puts the same formulas in float32 in the Rust side's place: what PyTorch itself would reach.

Not compared: Grad-CAM++ with torch-cam, which drops its denominator (`alpha[mask].div_(…)` divides a copy), and
Grad-CAM on tokens with Captum, which would average over channels.
"""

import copy
import sys
from unittest.mock import patch

import captum.attr
import numpy as np
import pytorch_grad_cam
import torch
import torchcam.methods
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.numpy import load_file
from torchvision.models import VisionTransformer

import explainers
from common import check, finish, folder, optional, relative, rust, save
from explainers import CAMS, OCCLUSION, all_specs, cell_side, grid, is_vit, parse
from models import build, decided, disturbed
from pictures import pattern

# Forty times what float32 itself does to most maps.
TOLERANCE = 1e-4
# Where an entry or a sum lies so near a threshold or zero that float32 decides: see `tolerance`.
DELICATE = 2e-3
SELF = "--self" in sys.argv
CLASSES = 47
SMOOTH = "smooth-grad:samples=4:noise=0.3:seed=7"
GRAD_CAM = {"grad-cam": pytorch_grad_cam.GradCAM, "grad-cam-plus-plus": pytorch_grad_cam.GradCAMPlusPlus,
            "hires-cam": pytorch_grad_cam.HiResCAM, "layer-cam": pytorch_grad_cam.LayerCAM,
            "xgrad-cam": pytorch_grad_cam.XGradCAM, "eigen-cam": pytorch_grad_cam.EigenCAM}
TORCH_CAM = {"grad-cam": torchcam.methods.GradCAM, "layer-cam": torchcam.methods.LayerCAM,
             "xgrad-cam": torchcam.methods.XGradCAM}


def tolerance(model, spec):
    """Which entries are discarded turns on the order of nearly equal numbers; XGrad-CAM and Grad-CAM++ divide by a
    channel's sum, which for normalised tokens is near zero (PyTorch's own float32 is 1.4e-4 from its float64 there);
    occlusion subtracts nearly equal logits; the noise of SmoothGrad takes some ReLU to its kink."""
    kind, settings = parse(spec)
    divides_by_sums = kind in ("xgrad-cam", "grad-cam-plus-plus") and is_vit(model)
    kinks = kind == "smooth-grad" and not is_vit(model)
    delicate = "discard" in settings or kind == "occlusion" or divides_by_sums or kinks
    return DELICATE if delicate else TOLERANCE


def found(name, model, images, labels, specs):
    if SELF:
        noise = torch.randn(4, *images.shape[1:], generator=torch.Generator().manual_seed(7)) * 0.3
        results = explainers.explain(copy.deepcopy(model), images, labels, specs, noise)
        return results | {f"noise.{SMOOTH}": noise.numpy()}
    work = folder()
    save(model.state_dict(), work / "weights.safetensors")
    save({"images": images, "labels": labels}, work / "inputs.safetensors")
    rust("explain", name, work / "weights.safetensors", work / "inputs.safetensors", ",".join(specs),
         work / "out.safetensors")
    return load_file(work / "out.safetensors")


class Peers:
    """The libraries' answers about one model and one batch, in float64: each by its name."""

    def __init__(self, model, images, labels):
        self.model, self.images, self.labels = copy.deepcopy(model).double(), images.double(), labels
        self.side = cell_side(model, images)

    def answers(self, spec, results):
        """Raw maps, `[batch, height, width]`, and what else `results` has of the spec."""
        kind, settings = parse(spec)
        if kind in CAMS:
            layer = self.layer(settings.get("layer"))
            answers = {"pytorch-grad-cam": self.grad_cam(kind, layer)[0]}
            if kind in TORCH_CAM:
                answers["torch-cam"] = self.torch_cam(kind, layer)
            if kind == "grad-cam" and not is_vit(self.model):
                captums = captum.attr.LayerGradCam(self.model, layer).attribute(self.images, self.labels)
                answers["Captum"] = captums.squeeze(1).detach()
            return {library: {"maps": values} for library, values in answers.items()}
        if kind in CAPTUM:
            self.drawn = results.get(f"noise.{spec}")
            return {"Captum": CAPTUM[kind](self, **settings)}
        named = explainers.explain(self.model, self.images, self.labels, [spec])
        answers = {"formula": {key.partition(".")[0]: values for key, values in named.items()}}
        if kind == "le-grad":
            answers["torch-cam"] = {"maps": self.le_grad(**settings)}
        return answers

    def layer(self, index):
        if is_vit(self.model):
            return self.model.blocks[-1 if index is None else int(index)].norm1
        return self.model.get_submodule(f"layer{index or 4}")

    def grad_cam(self, kind, layer):
        """Before anything is clipped or scaled, and scaled at the layer's own grid."""

        class Raw(GRAD_CAM[kind]):
            def get_cam_image(self, *arguments):
                self.raw = super().get_cam_image(*arguments)
                return self.raw

            def get_target_width_height(self, _):
                return self.activations_and_grads.activations[0].shape[:1:-1]

        with Raw(self.model, [layer], reshape_transform=grid if is_vit(self.model) else None) as cam:
            scaled = cam(self.images, [ClassifierOutputTarget(label) for label in self.labels.tolist()])
            return cam.raw, scaled

    def torch_cam(self, kind, layer):
        transform = grid if is_vit(self.model) else None
        with TORCH_CAM[kind](self.model, layer, reshape_transform=transform) as cam:
            cam._relu = False
            return cam(self.labels.tolist(), self.model(self.images), normalized=False)[0]

    def le_grad(self, tokens="class"):
        """torch-cam knows torchvision's ViT only, which has the same numbers under other names."""
        model = torchvision_vit(self.model)
        head = lambda values: model.heads(model.encoder.ln(values[:, 0]))
        projection = {"class": head, "mean": None}[tokens]
        with torchcam.methods.LeGrad(model, list(model.encoder.layers), score_projection=projection) as cam:
            return cam(self.labels.tolist(), model(self.images), normalized=False)[0]

    def cells(self, attributions):
        rows = attributions.detach().sum(1).unflatten(1, (-1, self.side))
        return rows.unflatten(3, (-1, self.side)).sum((2, 4))

    def input_gradient(self, times_input="false"):
        images = self.images.clone().requires_grad_()
        method = captum.attr.InputXGradient if times_input == "true" else captum.attr.Saliency
        return {"maps": self.cells(method(self.model).attribute(images, self.labels))}

    def smooth_grad(self, **_):
        """Captum's own would average magnitudes; and draws its noise, image by image, which is given here."""
        noise = torch.from_numpy(self.drawn).double()
        tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(self.model))
        with patch("torch.normal", lambda *_: noise.repeat(len(self.images), 1, 1, 1)):
            mean = tunnel.attribute(self.images, nt_samples=len(noise), target=self.labels, abs=False)
        return {"maps": self.cells(mean.abs())}

    def integrated_gradients(self, steps):
        method = captum.attr.IntegratedGradients(self.model)
        attributions, gap = method.attribute(self.images, target=self.labels, n_steps=int(steps),
                                             internal_batch_size=8, return_convergence_delta=True)
        return {"maps": self.cells(attributions), "gap": gap}

    def occlusion(self, window):
        """One value for all pixels of a cell."""
        window = int(window) * self.side
        with torch.no_grad():
            attributions = captum.attr.Occlusion(self.model).attribute(
                self.images, (3, window, window), (3, self.side, self.side), target=self.labels,
                perturbations_per_eval=8)
        values = attributions[:, 0, :: self.side, :: self.side]
        assert (attributions == values.repeat_interleave(self.side, 1).repeat_interleave(self.side, 2)[:, None]).all()
        return {"maps": values}


CAPTUM = {"input-gradient": Peers.input_gradient, "smooth-grad": Peers.smooth_grad,
          "integrated-gradients": Peers.integrated_gradients, "occlusion": Peers.occlusion}


def torchvision_vit(model):
    """A timm ViT as torchvision's."""
    patch_size, width = model.patch_embed.patch_size[0], model.embed_dim
    depth, heads = len(model.blocks), model.blocks[0].attn.num_heads
    twin = VisionTransformer(model.patch_embed.img_size[0], patch_size, depth, heads, width, 4 * width,
                             num_classes=model.num_classes)
    names = {"cls_token": "class_token", "pos_embed": "encoder.pos_embedding", "patch_embed.proj": "conv_proj",
             "norm": "encoder.ln", "head": "heads.head"}
    parts = {"norm1": "ln_1", "norm2": "ln_2", "attn.qkv": "self_attention.in_proj",
             "attn.proj": "self_attention.out_proj", "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3"}
    state = {}
    for name, values in model.state_dict().items():
        part, _, suffix = name.rpartition(".")
        if name.startswith("blocks."):
            _, index, part = part.split(".", 2)
            joint = "_" if part == "attn.qkv" else "."
            state[f"encoder.layers.encoder_layer_{index}.{parts[part]}{joint}{suffix}"] = values
        else:
            state[names.get(name) or f"{names[part]}.{suffix}"] = values
    twin.load_state_dict(state)
    return twin.eval().to(values.dtype)


def scaled(maps):
    """As pytorch-grad-cam scales them: once a layer, once over all layers."""
    for _ in range(2):
        maps = np.maximum(maps, 0)
        maps = maps - maps.min((1, 2), keepdims=True)
        maps = maps / (1e-7 + maps.max((1, 2), keepdims=True))
    return maps


def same_sign(maps, reference):
    """A principal component points either way."""
    return maps * np.where((maps * np.asarray(reference)).sum((1, 2), keepdims=True) < 0, -1, 1)


def compare(what, name, model, specs, images):
    """`specs` and pictures to one model: the label is the likeliest class of the first, the unlikeliest of the rest."""
    logits = model(images).detach()
    labels = torch.cat([logits[:1].argmax(1), logits[1:].argmin(1)])
    results = found(name, model, images, labels, specs)
    peers = Peers(model, images, labels)
    for spec in specs:
        allowed = tolerance(model, spec)
        for library, answer in peers.answers(spec, results).items():
            for part, reference in answer.items():
                values = results[f"{part}.{spec}"]
                if part == "gap":
                    # What is left of a sum: measured by what was summed.
                    summed = np.abs(np.asarray(answer["maps"])).sum((1, 2)).max()
                    difference = np.abs(values - np.asarray(reference)).max()
                    check(f"{what}, gap of {spec}, {library}", difference / summed, allowed)
                    continue
                values = same_sign(values, reference) if spec.startswith("eigen-cam") else values
                label = spec if part == "maps" else f"{part} of {spec}"
                check(f"{what}, {label}, {library}", relative(values, reference), allowed)
        if spec in CAMS:
            raw, reference = peers.grad_cam(spec, peers.layer(None))
            values = results[f"maps.{spec}"]
            values = same_sign(values, raw) if spec == "eigen-cam" else values
            check(f"{what}, {spec}, scaled, pytorch-grad-cam", relative(scaled(values), reference), allowed)


def pictures():
    """Shapes, and noise."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    shapes = torch.from_numpy((pattern(224, 224) / 255 - mean) / deviation).float().permute(2, 0, 1)
    noise = torch.randn(3, 224, 224, generator=torch.Generator().manual_seed(1)) * 1.2
    return torch.stack([shapes, noise])


def settled(model, images):
    """Running statistics as the images themselves have them: fresh ones are zero and one."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(images)
    return model.eval()


def compare_all(what, name, model):
    """Everything that the model has; occlusion, a pass a cell, of one picture."""
    compare(what, name, model, [*all_specs(model), SMOOTH], pictures())
    compare(what, name, model, OCCLUSION[1:], pictures()[:1])


if __name__ == "__main__":
    compare_all("deit_tiny, drawn", "deit_tiny", disturbed(build("deit_tiny", CLASSES)))
    # A ReLU at its kink would make the gradient a matter of rounding: see models.decided.
    resnet = settled(decided(disturbed(build("resnet50", CLASSES))), pictures())
    compare_all("resnet50, decided", "resnet50", resnet)
    if weights := optional("DRIFTSCOPE_WEIGHTS", "maps of trained weights"):
        deit = build("deit_tiny", 1000)
        deit.load_state_dict({key: torch.from_numpy(values) for key, values in
                              load_file(weights / "deit_tiny_patch16_224.safetensors").items()})
        compare_all("deit_tiny, trained", "deit_tiny", deit)
        resnet = build("resnet50", CLASSES)
        stages = load_file(weights / "resnet50_stem_to_layer3.safetensors")
        resnet.load_state_dict({key: torch.from_numpy(values) for key, values in stages.items()}, strict=False)
        # No ReLU lies between the last stage and the logits.
        compare("resnet50, stem to layer3 trained", "resnet50", resnet.eval(), CAMS, pictures())
    finish()
