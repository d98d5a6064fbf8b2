//! Access to the values of a tensor inside a custom operation.

use std::ops::Deref;

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The values behind the arguments of a forward pass.
pub(super) fn values<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(data) = storage else {
        bail!(
            "{op}: expected f32 values, found {:?}; convert the input with to_dtype",
            storage_dtype(storage)
        );
    };
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!(
            "{op}: expected a contiguous tensor, found strides {:?}; call contiguous first",
            layout.stride()
        );
    };
    Ok(&data[start..end])
}

fn storage_dtype(storage: &CpuStorage) -> candle_core::DType {
    use candle_core::backend::BackendStorage;
    storage.dtype()
}

/// A contiguous tensor on the CPU whose values can be read while this exists (used in backward passes).
pub(super) struct Values<'a, G> {
    op: &'static str,
    storage: G,
    layout: &'a Layout,
}

/// Locks the values of `tensor` for reading; `op` names the reader in errors.
pub(super) fn read<'a>(
    op: &'static str,
    tensor: &'a Tensor,
) -> Values<'a, impl Deref<Target = Storage>> {
    let (storage, layout) = tensor.storage_and_layout();
    Values {
        op,
        storage,
        layout,
    }
}

impl<G: Deref<Target = Storage>> Values<'_, G> {
    pub(super) fn get(&self) -> Result<&[f32]> {
        match &*self.storage {
            Storage::Cpu(storage) => values(self.op, storage, self.layout),
            _ => bail!("{}: implemented for the CPU only", self.op),
        }
    }
}

/// The dimensions `(N, H, W, C)` of an activation.
pub(super) fn nhwc(op: &str, layout: &Layout) -> Result<(usize, usize, usize, usize)> {
    match *layout.dims() {
        [n, h, w, c] if n > 0 && h > 0 && w > 0 && c > 0 => Ok((n, h, w, c)),
        ref dims => bail!("{op}: expected a non-empty activation [N, H, W, C], found {dims:?}"),
    }
}
