//! Quick.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() -> anyhow::Result<()> {
    let a: Vec<String> = std::env::args().collect();
    emotion_trainer::detector::training::quick(
        a[1].as_ref(),
        a[2].as_ref(),
        a[3].parse()?,
        a[4].parse()?,
        1,
    )
}
