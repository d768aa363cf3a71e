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

/// An explainer's title and, behind it, its settings as its name has them: `("Grad-CAM", "layer-3")` of
/// `grad-cam-layer-3`. The name itself of an explainer that is not in the table.
pub fn titled(explainer: &str) -> (&str, &str) {
    let split = |(name, title): &(&str, &'static str)| {
        let settings = explainer.strip_prefix(name)?;
        if settings.is_empty() { Some((*title, "")) } else { Some((*title, settings.strip_prefix('-')?)) }
    };
    TITLES.iter().find_map(split).unwrap_or((explainer, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explainers_are_called_as_papers_call_them() {
        for (name, title) in [
            ("grad-cam", ("Grad-CAM", "")),
            ("grad-cam-plus-plus", ("Grad-CAM++", "")),
            ("grad-cam-plus-plus-layer-3", ("Grad-CAM++", "layer-3")),
            ("grad-cam-layer-3", ("Grad-CAM", "layer-3")),
            ("rollout-fusion-max", ("Attention rollout", "fusion-max")),
            ("rollouts", ("rollouts", "")),
            ("tea-leaves", ("tea-leaves", "")),
        ] {
            assert_eq!(titled(name), title);
        }
    }
}
