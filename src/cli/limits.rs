//! Limits on reading an image file, as flags.

use super::args;
use crate::picture::Limits;
use clap::Args;

/// Flags of every command that reads image files.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct LimitArguments {
    /// Most pixels that an image may have, in millions; a larger one counts as unreadable [default: 100, or the run's]
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(1..=u32::MAX))]
    max_megapixels: Option<u32>,
    /// Most memory for decoding one image, in MiB [default: 1024, or the run's, or what --max-megapixels needs]
    #[arg(long, value_name = "N", value_parser = args::whole::<u32>(1..=u32::MAX))]
    max_decoder_mib: Option<u32>,
}

impl LimitArguments {
    /// Keys of a `[data]` table, and what was asked for.
    pub(super) fn settings(&self) -> [(&'static str, Option<i64>); 2] {
        [("max_megapixels", self.max_megapixels), ("max_decoder_mib", self.max_decoder_mib)]
            .map(|(key, limit)| (key, limit.map(i64::from)))
    }

    /// These limits, or those that were asked for.
    pub(super) fn over(&self, limits: Limits) -> Limits {
        let limits = self.max_megapixels.map_or(limits, Limits::of_megapixels);
        Limits { max_decoder_mib: self.max_decoder_mib.unwrap_or(limits.max_decoder_mib), ..limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 megapixels need twice the memory that 100 do, 2 · 1024 MiB.
    #[test]
    fn what_was_asked_for_replaces_a_runs_limits() {
        let run = Limits { max_megapixels: 50, max_decoder_mib: 3000 };
        let over = |max_megapixels, max_decoder_mib| LimitArguments { max_megapixels, max_decoder_mib }.over(run);
        assert_eq!(over(None, None), run);
        assert_eq!(over(Some(200), None), Limits { max_megapixels: 200, max_decoder_mib: 2048 });
        assert_eq!(over(None, Some(9)), Limits { max_megapixels: 50, max_decoder_mib: 9 });
        assert_eq!(over(Some(200), Some(9)), Limits { max_megapixels: 200, max_decoder_mib: 9 });
    }
}
