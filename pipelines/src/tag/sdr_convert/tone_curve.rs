//! From the levels of HDR video to those of SDR video.
//!
//! The transfer functions are those of ITU-R BT.2100: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67). Up to three quarters of
//! the reference white of BT.2408, where faces are, brightness stays as it is; what is brighter, up to 1000 cd/m², is
//! compressed into the rest.

/// Number of levels of ten bits.
const LEVELS: usize = 1024;
/// The reference white of BT.2408 in cd/m².
const REFERENCE_WHITE: f64 = 203.0;
/// The brightest level that stays different from others, in cd/m².
const PEAK: f64 = 1000.0;
/// The share of the reference white up to which brightness stays as it is.
const KNEE: f64 = 0.75;
/// The exponent of SDR displays, BT.1886.
const DISPLAY_GAMMA: f64 = 2.4;
/// Bits behind the point of a gain.
const GAIN_BITS: u32 = 12;

/// How HDR video stores brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HdrTransfer {
    Pq,
    Hlg,
}

impl HdrTransfer {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pq => "PQ",
            Self::Hlg => "HLG",
        }
    }

    /// The brightness in cd/m² of the level `signal`, 0 to 1, of luma.
    fn brightness(self, signal: f64) -> f64 {
        match self {
            Self::Pq => {
                let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 32.0);
                let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0);
                let power = signal.powf(1.0 / m2);
                10_000.0 * ((power - c1).max(0.0) / (c2 - c3 * power)).powf(1.0 / m1)
            }
            Self::Hlg => {
                let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
                let scene = if signal <= 0.5 {
                    signal * signal / 3.0
                } else {
                    (((signal - c) / a).exp() + b) / 12.0
                };
                // The system gamma of a display with this peak.
                PEAK * scene.powf(1.2)
            }
        }
    }
}

/// Tables from the ten bits of limited range of HDR video to the eight bits of SDR video.
#[derive(Debug, Clone)]
pub(super) struct ToneCurve {
    luma: Vec<u8>,
    /// By the luma of a pixel: how much more colour it has in SDR.
    gain: Vec<i32>,
}

impl ToneCurve {
    pub(super) fn new(transfer: HdrTransfer) -> Self {
        let signal = |level: usize| ((level as f64 - 64.0) / 876.0).clamp(0.0, 1.0);
        let shown = |signal: f64| {
            let relative = transfer.brightness(signal) / REFERENCE_WHITE;
            compressed(relative).powf(1.0 / DISPLAY_GAMMA)
        };
        let levels = (0..LEVELS).map(signal);
        Self {
            luma: levels
                .clone()
                .map(|signal| (16.0 + 219.0 * shown(signal)).round() as u8)
                .collect(),
            gain: levels
                .map(|signal| {
                    let gain = (shown(signal) / signal.max(1e-3)).min(4.0);
                    (gain * f64::from(1 << GAIN_BITS)) as i32
                })
                .collect(),
        }
    }

    /// The luma of SDR for a luma of HDR.
    pub(super) fn luma(&self, level: u16) -> u8 {
        self.luma[usize::from(level) % LEVELS]
    }

    /// The chroma of SDR for a chroma of HDR at a pixel with this luma of HDR.
    pub(super) fn chroma(&self, level: u16, luma: u16) -> u8 {
        let difference = i32::from(level) - 512;
        let scaled = (difference * self.gain[usize::from(luma) % LEVELS]) >> (GAIN_BITS + 2);
        (128 + scaled).clamp(16, 240) as u8
    }
}

/// The brightness of SDR for one of HDR, both as a share of white.
fn compressed(brightness: f64) -> f64 {
    let rest = 1.0 - KNEE;
    let over = (brightness.min(PEAK / REFERENCE_WHITE) - KNEE) / rest;
    if over <= 0.0 {
        return brightness;
    }
    let most = (PEAK / REFERENCE_WHITE - KNEE) / rest;
    KNEE + rest * over / (1.0 + over * (1.0 - 1.0 / most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transfer_functions_have_the_values_of_the_standards() {
        // BT.2408, table 1: 18 % grey at 26 cd/m² and white at 203 cd/m² in PQ and HLG.
        for (transfer, signal, expected) in [
            (HdrTransfer::Pq, 0.38, 26.0),
            (HdrTransfer::Pq, 0.58, 203.0),
            (HdrTransfer::Pq, 1.0, 10_000.0),
            (HdrTransfer::Hlg, 0.38, 26.0),
            (HdrTransfer::Hlg, 0.75, 203.0),
            (HdrTransfer::Hlg, 1.0, 1000.0),
            (HdrTransfer::Pq, 0.0, 0.0),
            (HdrTransfer::Hlg, 0.0, 0.0),
        ] {
            let found = transfer.brightness(signal);
            let error = (found - expected).abs();
            assert!(error <= 0.03 * expected, "{transfer:?} {signal}: {found}");
        }
    }

    #[test]
    fn brightness_rises_to_white_and_stays_below_the_knee() {
        for transfer in [HdrTransfer::Pq, HdrTransfer::Hlg] {
            let curve = ToneCurve::new(transfer);
            let luma: Vec<u8> = (0..1024).map(|level| curve.luma(level)).collect();
            assert!(luma.is_sorted(), "{transfer:?}");
            assert_eq!((luma[64], luma[940]), (16, 235), "{transfer:?}");
        }
        assert_eq!(compressed(0.5), 0.5);
        assert!((compressed(PEAK / REFERENCE_WHITE) - 1.0).abs() < 1e-9);
        let slope = (compressed(KNEE + 1e-6) - KNEE) / 1e-6;
        assert!((slope - 1.0).abs() < 1e-3, "{slope}");
    }

    #[test]
    fn grey_stays_grey_and_colour_grows_with_luma() {
        let curve = ToneCurve::new(HdrTransfer::Pq);
        assert_eq!(curve.chroma(512, 500), 128);
        // White in PQ lies at 0.58 of the range, and near its end in SDR.
        let white = 64 + 508;
        let found = i32::from(curve.chroma(512 + 100, white)) - 128;
        assert!((36..45).contains(&found), "{found}");
        assert_eq!(curve.chroma(1023, white), 240);
    }
}
