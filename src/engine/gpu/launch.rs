//! Launches: runs the CubeCL kernel of a [`Dispatch`].

use super::dispatch::{Dispatch, Pipeline};
use super::kernels::{ADDERS, COLUMN_LANES, COLUMNS, LANES, ROWS, THREADS, products};
use super::kernels::{
    attention, attention_at, chain, convolution, cross_entropy, embed, halting, lstm, memory as recall, norm, policy, scan, scan_backward,
    sums,
};
use cubecl::client::Client;
use cubecl::prelude::{BufferArg, CubeCount, CubeDim};
use cubecl::server::Handle;

/// Workgroups in one row of a launch. WebGPU allows 65,535 along a dimension; we stay below that.
const ROW_OF_GROUPS: u32 = 32_768;

/// A buffer of the device, and its number of 4-byte elements.
#[derive(Clone)]
pub struct Buffer {
    pub handle: Handle,
    pub numbers: usize,
}

impl Buffer {
    /// A buffer of `numbers` zeros. It is an allocation of its own, so that it never holds another buffer's old contents.
    pub fn zeros(client: &Client, numbers: usize) -> Self {
        let numbers = numbers.max(1);
        let handle = client.memory_dedicated_allocation((), |()| client.empty(numbers * 4));
        Self { handle, numbers }
    }

    /// A buffer with these words.
    pub fn of_words(client: &Client, words: &[u32]) -> Self {
        let mut words = words.to_vec();
        words.resize(words.len().max(1), 0);
        let numbers = words.len();
        Self { handle: client.create(cubecl::bytes::Bytes::from_elems(words)), numbers }
    }

    /// `count` elements from `first` on.
    pub fn part(&self, first: usize, count: usize) -> Handle {
        self.handle.clone().offset_start(first as u64 * 4).offset_end((self.numbers - first - count) as u64 * 4)
    }

    pub fn argument(&self) -> BufferArg {
        // SAFETY: the handle was allocated for this many elements, in `zeros` or `of_words`.
        unsafe { BufferArg::from_raw_parts(self.handle.clone(), self.numbers) }
    }
}

/// The layout of `groups` workgroups. For 0 it launches one, whose kernel finds that it has no work.
pub fn groups(groups: u32) -> CubeCount {
    let across = groups.clamp(1, ROW_OF_GROUPS);
    CubeCount::Static(across, groups.div_ceil(across).max(1), 1)
}

/// A one-dimensional workgroup of `count` threads.
pub fn threads(count: usize) -> CubeDim {
    CubeDim::new_1d(count as u32)
}

/// The client and buffers that a program's dispatches use.
pub struct Bound<'a> {
    pub client: &'a Client,
    pub memory: &'a Buffer,
    pub words: &'a Buffer,
    pub table: &'a Buffer,
}

impl Bound<'_> {
    /// Enqueues a dispatch.
    #[expect(clippy::too_many_lines, reason = "an arm for each pipeline")]
    #[expect(clippy::undocumented_unsafe_blocks, reason = "the comment at the beginning holds for all of them")]
    pub fn launch(&self, dispatch: &Dispatch) {
        let Dispatch { kernel, record, count } = *dispatch;
        let (client, cubes) = (self.client, groups(count));
        let (memory, table) = (self.memory.argument(), self.table.argument());
        // SAFETY of every launch: the records in the table hold addresses within the memory and the words, because the
        // program's layout does, and each kernel compares its indices with the sizes in its record.
        match kernel {
            Pipeline::Direct { edge } => unsafe {
                let size = threads(products::SIDE * products::SIDE);
                products::direct::launch_unchecked(client, cubes, size, memory, table, record, count, edge);
            },
            Pipeline::Products { edge, depth } => unsafe {
                products::products::launch_unchecked(
                    client,
                    cubes,
                    threads(products::SIDE * products::SIDE),
                    memory,
                    table,
                    record,
                    count,
                    edge,
                    depth,
                );
            },
            Pipeline::NormForward => unsafe {
                norm::norm_forward::launch_unchecked(client, cubes, threads(ROWS * LANES), memory, table, record, count);
            },
            Pipeline::NormBackward => unsafe {
                norm::norm_backward::launch_unchecked(client, cubes, threads(ROWS * LANES), memory, table, record, count);
            },
            Pipeline::Embed => unsafe {
                let words = self.words.argument();
                embed::embed_forward::launch_unchecked(client, cubes, threads(THREADS), memory, words, table, record, count);
            },
            Pipeline::EmbedBackward => unsafe {
                let words = self.words.argument();
                embed::embed_backward::launch_unchecked(client, cubes, threads(THREADS), memory, words, table, record, count);
            },
            Pipeline::Copies => unsafe {
                embed::copies::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::Columns => unsafe {
                sums::columns::launch_unchecked(client, cubes, threads(COLUMNS * COLUMN_LANES), memory, table, record, count);
            },
            Pipeline::Total => unsafe {
                sums::total::launch_unchecked(client, cubes, threads(ADDERS), memory, table, record, count);
            },
            Pipeline::CrossEntropy => unsafe {
                let words = self.words.argument();
                let size = threads(ROWS * LANES);
                cross_entropy::cross_entropy::launch_unchecked(client, cubes, size, memory, words, table, record, count);
            },
            Pipeline::Answer => unsafe {
                cross_entropy::answer::launch_unchecked(client, cubes, threads(ROWS * LANES), memory, table, record, count);
            },
            Pipeline::AttentionForward(kind) => unsafe {
                attention::attention_forward::launch_unchecked(client, cubes, threads(kind.block), memory, table, record, count, kind);
            },
            Pipeline::AttentionAt(kind) => unsafe {
                attention_at::attention_at::launch_unchecked(client, cubes, threads(kind.block), memory, table, record, count, kind);
            },
            Pipeline::AttentionBackward(kind) => unsafe {
                attention::attention_backward::launch_unchecked(client, cubes, threads(kind.block), memory, table, record, count, kind);
            },
            Pipeline::LstmForward(kind) => unsafe {
                lstm::lstm_forward::launch_unchecked(client, cubes, threads(kind.threads), memory, table, record, count, kind);
            },
            Pipeline::LstmBackward(kind) => unsafe {
                lstm::lstm_backward::launch_unchecked(client, cubes, threads(kind.threads), memory, table, record, count, kind);
            },
            Pipeline::Transpose => unsafe {
                lstm::transpose::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::ConvolutionForward => unsafe {
                convolution::convolution_forward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::ConvolutionBackward => unsafe {
                convolution::convolution_backward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::ScanForward => unsafe {
                scan::scan_forward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::ScanBackward => unsafe {
                scan_backward::scan_backward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::ScanProjected => unsafe {
                scan_backward::scan_projected::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::Features => unsafe {
                recall::features::launch_unchecked(client, cubes, threads(ROWS * LANES), memory, table, record, count);
            },
            Pipeline::Halting => unsafe {
                halting::halt::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::HaltingBackward => unsafe {
                halting::halt_backward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::Mixture => unsafe {
                halting::mix::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::MixtureBackward => unsafe {
                halting::mix_backward::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
            Pipeline::Draw => unsafe {
                let words = self.words.argument();
                policy::draw::launch_unchecked(client, cubes, threads(THREADS), memory, words, table, record, count);
            },
            Pipeline::LogProbability => unsafe {
                let words = self.words.argument();
                policy::log_probability::launch_unchecked(client, cubes, threads(THREADS), memory, words, table, record, count);
            },
            Pipeline::Policy => unsafe {
                let words = self.words.argument();
                policy::policy::launch_unchecked(client, cubes, threads(THREADS), memory, words, table, record, count);
            },
            Pipeline::Chain(kind) => unsafe {
                chain::chain::launch_unchecked(client, cubes, threads(kind.threads()), memory, table, record, count, kind);
            },
            Pipeline::Recall => unsafe {
                recall::recall::launch_unchecked(client, cubes, threads(THREADS), memory, table, record, count);
            },
        }
    }
}
