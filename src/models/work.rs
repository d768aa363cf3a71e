//! How much arithmetic a model is.

use super::deit::DeitSize;
use super::resnet::ResNetSize;

/// Of a bottleneck block: 1×1 on the incoming grid, 3×3 and 1×1 on the outgoing one; the first block of a stage has a 1×1
/// shortcut too.
pub(super) fn of_resnet(size: ResNetSize, classes: usize) -> usize {
    let mut side = size.image_size.div_ceil(2);
    let mut all = side * side * size.width * 3 * 7 * 7;
    side = side.div_ceil(2);
    let mut channels = size.width;
    for stage in 0..4 {
        let width = size.width << stage;
        for block in 0..size.blocks[stage] {
            let incoming = side * side;
            side = if block == 0 { side.div_ceil(size.strides[stage]) } else { side };
            let shortcut = if block == 0 { channels * 4 * width } else { 0 };
            all += incoming * channels * width + side * side * (9 * width * width + 4 * width * width + shortcut);
            channels = 4 * width;
        }
    }
    all + channels * classes
}

/// Of a block: query, key and value, their two products, the map behind the heads, and a perceptron of four times the width.
pub(super) fn of_deit(size: DeitSize, classes: usize) -> usize {
    let patches = (size.image_size / size.patch_size).pow(2);
    let (tokens, features) = (patches + 1, size.features);
    let block = tokens * features * features * (3 + 1 + 2 * 4) + 2 * tokens * tokens * features;
    patches * 3 * size.patch_size.pow(2) * features + size.depth * block + features * classes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torchvision 0.24.1 gives ResNet-50 4.089 billion (`_ops` of its weights). On paper DeiT-Tiny is 196·768·192 for the
    /// patches, 12 blocks of 12·197·192² + 2·197²·192, and 192·1000 for the head.
    #[test]
    fn the_published_counts_are_met() {
        let resnet = of_resnet(ResNetSize::RESNET_50, 1000) as f64 / 1e9;
        assert!((resnet - 4.089).abs() < 0.001, "{resnet}");
        assert_eq!(of_deit(DeitSize::TINY, 1000), 1_253_683_200);
    }
}
