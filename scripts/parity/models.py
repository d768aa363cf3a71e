"""The reference models under driftscope's names: timm's DeiT, torchvision's ResNet, full size and mini.

Used by the checks; timm 1.0.22, torchvision 0.24.1, torch 2.9.1.
"""

import timm
import torch
import torchvision
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.resnet import Bottleneck, ResNet


class ResNetMini(ResNet):
    """torchvision's ResNet with its own Bottleneck, narrower, and with a stride a stage."""

    def __init__(self, classes, width=16, blocks=(1, 1, 1, 1), strides=(1, 2, 1, 1)):
        super().__init__(Bottleneck, list(blocks), num_classes=classes)
        self.inplanes = width
        self.conv1 = torch.nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        for index, (count, stride) in enumerate(zip(blocks, strides)):
            setattr(self, f"layer{index + 1}", self._make_layer(Bottleneck, width << index, count, stride))
        self.fc = torch.nn.Linear(self.inplanes, classes)


def build(name, classes, seed=0):
    """A freshly initialised reference model in evaluation mode."""
    torch.manual_seed(seed)
    match name:
        case "deit_tiny" | "deit_small":
            model = timm.create_model(f"{name}_patch16_224", num_classes=classes)
        case "resnet50":
            model = torchvision.models.resnet50(num_classes=classes)
        case "deit_mini":
            size = {"img_size": 96, "patch_size": 8, "embed_dim": 96, "depth": 4, "num_heads": 3}
            model = VisionTransformer(**size, num_classes=classes)
        case "resnet_mini":
            model = ResNetMini(classes)
    return model.eval()


def disturbed(model, seed=0):
    """Fresh norms are ones and fresh biases zeros, which would hide a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def decided(model, margin=5.0):
    """Moves each ReLU of a ResNet clearly on (three channels of four) or clearly off.

    At its kink a ReLU has no gradient to compare. In a drawn ResNet-50 some thirty of a batch's 75 million activations
    lie so near that float32's rounding decides, and each moves whole tensors by per cents: PyTorch then disagrees with
    itself, with and without oneDNN or in float64, as much as with anybody else.
    """
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                off = torch.arange(module.num_features) % 4 == 3
                module.bias += torch.where(off, -margin, margin)
    return model
