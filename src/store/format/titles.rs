//! What methods are called by people, where an explanation file does not say.

/// Names of methods and their titles, as papers print them. Frozen: these are the methods there were when files began to
/// hold their own titles.
pub const TITLES: [(&str, &str); 15] = [
    ("grad-cam-plus-plus", "Grad-CAM++"),
    ("grad-cam", "Grad-CAM"),
    ("hires-cam", "HiResCAM"),
    ("layer-cam", "LayerCAM"),
    ("xgrad-cam", "XGrad-CAM"),
    ("eigen-cam", "Eigen-CAM"),
    ("raw-attention", "Raw attention"),
    ("rollout", "Attention rollout"),
    ("gradient-rollout", "Gradient rollout"),
    ("generic-relevance", "Generic relevance"),
    ("le-grad", "LeGrad"),
    ("input-gradient", "Input gradient"),
    ("smooth-grad", "SmoothGrad"),
    ("integrated-gradients", "Integrated Gradients"),
    ("occlusion", "Occlusion"),
];

/// What a person reads of an explainer whose file has no title: `Grad-CAM (layer 3)` of `grad-cam-layer-3`, and the name
/// itself of one that is not in the table.
pub fn title_of(explainer: &str) -> String {
    let title = |(name, title): &(&str, &str)| match explainer.strip_prefix(name)? {
        "" => Some(title.to_string()),
        settings => Some(format!("{title} ({})", settings.strip_prefix('-')?.replace('-', " "))),
    };
    TITLES.iter().find_map(title).unwrap_or_else(|| explainer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explainers_are_called_as_papers_call_them() {
        for (name, expected) in [
            ("grad-cam", "Grad-CAM"),
            ("grad-cam-plus-plus", "Grad-CAM++"),
            ("grad-cam-plus-plus-layer-3", "Grad-CAM++ (layer 3)"),
            ("grad-cam-layer-3", "Grad-CAM (layer 3)"),
            ("rollout-discard-0.9-fusion-max", "Attention rollout (discard 0.9 fusion max)"),
            ("rollouts", "rollouts"),
            ("tea-leaves", "tea-leaves"),
        ] {
            assert_eq!(title_of(name), expected);
        }
    }
}
