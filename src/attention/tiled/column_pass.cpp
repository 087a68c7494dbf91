#include "attention/tiled/column_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/column_updates.h"
#include "attention/tiled/tile_operands.h"
#include "base/parallel.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// No entry is above 2^80; 2^80 times any number of rows stays below the largest float, 2^128.
constexpr float kLargestExponent = 80;
/// Entries below the smallest normal float, 2^-126, may be lost: what they add up to, counted in
/// units of 2^-126, may be at most 2^-30 of a sum.
constexpr double kLeastSum = 0x1p-96;

/// Key blocks of a group. More of them read queries and sums of outputs more rarely, fewer keep the
/// group's part of K in a nearer cache.
constexpr std::int64_t kGroupBlocks = 2;
constexpr std::int64_t kMostChunks = 32;
constexpr std::int64_t kFewestBlocksPerChunk = 4;

/// The row dual shifted so that no exponent x_i . y_j + f̂_i is above kLargestExponent, and none
/// needlessly far below: [padded_rows], -infinity for rows that do not exist.
tensor::VectorView<float> shifted_row_dual(const TiledHead& head,
                                           tensor::VectorView<const float> row_dual,
                                           tensor::Arena& arena) {
  const tensor::VectorView<float> shifted = arena.vector<float>(head.padded_rows());
  const auto rows = static_cast<std::size_t>(head.n);
  const tensor::VectorView<float> live = shifted.first(rows);
  const tensor::VectorView<const float> bound = head.row_bound.first(rows);
  const float score = std::max(0.0f, tensor::maximum<float>(bound));
  std::copy_n(row_dual.begin(), head.n, live.begin());
  tensor::axpy<float>(1, bound, live);
  const float shift = std::min(score, kLargestExponent) - tensor::maximum<float>(live);
  for (std::int64_t i = 0; i < head.n; ++i) shifted[i] = row_dual[i] + shift;
  std::fill(shifted.begin() + head.n, shifted.end(), -std::numeric_limits<float>::infinity());
  return shifted;
}

/// All packed keys rounded to pairs.
BFloat16* bfloat16_packed_keys(const TiledHead& head, const BFloat16KernelSet& kernels,
                               tensor::Arena& arena) {
  auto* keys = arena.take<BFloat16>(head.padded_keys() * head.inner);
  for (std::int64_t c = 0; c < key_blocks(head.m); ++c) {
    const std::int64_t offset = c * kKeyBlock * head.inner;
    kernels.pair_keys(head.keys + offset, head.inner, key_block_width(head.m, c), keys + offset);
  }
  return keys;
}

/// See apply_closed_row_dual.
class ColumnPass {
 public:
  ColumnPass(const TiledHead& head, tensor::VectorView<const float> row_offset,
             tensor::MatrixView<const float> values, const SweepOptions& options,
             tensor::Arena& arena);

  bool run(tensor::MatrixView<float> output);
  /// mean_i |sum_j A_ij - 1| of the columns as run() normalised them, before it divided by row
  /// sums.
  double row_error() const;

 private:
  /// A fixed run of row blocks.
  struct Chunk {
    float* column_sums;  // of the group at hand: [group_width_]
    bool in_range;       // of the row sums
  };
  /// What a row block reads and writes in every turn, side by side in memory: a record of
  /// record_values_ floats that begins with x.
  struct Block {
    float* x;            // [kRowBlock, D]
    float* output_sums;  // sum_j K_ij c_j V_j so far: [kRowBlock, output_width_]
    float* gibbs;        // K of the group, tile by tile: kRowBlock * group_width_ values

    // For products in bfloat16, x and K are of that type.
    BFloat16* x_bfloat16() const { return reinterpret_cast<BFloat16*>(x); }
    BFloat16* gibbs_bfloat16() const { return reinterpret_cast<BFloat16*>(gibbs); }
  };

  std::int64_t groups() const { return (key_blocks(head_.m) + kGroupBlocks - 1) / kGroupBlocks; }
  Block block_at(std::int64_t first) const;
  template <class Body>
  void for_each_tile(std::int64_t group, const Body& body) const;
  template <class Body>
  void for_each_block(bool backwards, const Body& body);
  void start_rows(std::int64_t first) const;
  void compute_rows(std::int64_t group, std::int64_t first, std::int64_t next, Chunk& chunk) const;
  bool close_columns(std::int64_t group);
  void apply_rows(std::int64_t group, std::int64_t first);
  void write_rows(std::int64_t first, tensor::MatrixView<float> output, Chunk& chunk) const;
  std::int64_t rows_from(std::int64_t first) const { return std::min(kRowBlock, head_.n - first); }

  const TiledHead& head_;
  tensor::Arena& arena_;
  tensor::VectorView<const float> row_offset_;
  tensor::VectorView<float> column_offset_;
  tensor::MatrixView<const float> values_;
  const BFloat16KernelSet* bfloat16_products_ = nullptr;  // null for ProductPrecision::single
  BFloat16* bfloat16_keys_ = nullptr;                     // paired, as head_.keys
  int threads_;
  std::int64_t chunk_rows_, group_width_, output_width_, record_values_;
  float* records_;                      // of all row blocks
  tensor::VectorView<float> row_sums_;  // sum_j K_ij c_j so far: [padded_rows]
  tensor::VectorView<float> scaling_;   // c of the group: [group_width_], 0 for padding
  double scaling_sum_ = 0;              // of all columns so far
  float* group_values_;                 // c_j V_j of the group: [group_width_, output_width_]
  BFloat16* group_values_bfloat16_ = nullptr;  // the same in pairs
  tensor::VectorView<Chunk> chunks_;
};

ColumnPass::ColumnPass(const TiledHead& head, tensor::VectorView<const float> row_offset,
                       tensor::MatrixView<const float> values, const SweepOptions& options,
                       tensor::Arena& arena)
    : head_(head),
      arena_(arena),
      row_offset_(row_offset),
      column_offset_(zero_column_offsets(head, arena)),
      values_(values),
      threads_(options.threads),
      group_width_(std::min(head.padded_keys(), kGroupBlocks * kKeyBlock + kTilePadding)),
      output_width_(round_up(values.cols, kTilePadding)) {
  // Pairs need an even inner width.
  if (options.precision == ProductPrecision::bfloat16 && head.inner % 2 == 0)
    bfloat16_products_ = bfloat16_kernels();
  const std::int64_t blocks = head.padded_rows() / kRowBlock;
  chunk_rows_ =
      kRowBlock * std::max(kFewestBlocksPerChunk, (blocks + kMostChunks - 1) / kMostChunks);
  const std::int64_t entries_per_float = bfloat16_products_ ? 2 : 1;
  record_values_ = kRowBlock * (output_width_ + (head.inner + group_width_) / entries_per_float);
  records_ = arena.take<float>(blocks * record_values_);
  row_sums_ = arena.vector<float>(head.padded_rows());
  scaling_ = arena.vector<float>(group_width_);
  group_values_ = arena.take<float>(group_width_ * output_width_);
  if (bfloat16_products_) {
    group_values_bfloat16_ = arena.take<BFloat16>(group_width_ * output_width_);
    bfloat16_keys_ = bfloat16_packed_keys(head, *bfloat16_products_, arena);
  }
  const std::int64_t chunks = (head.n + chunk_rows_ - 1) / chunk_rows_;
  chunks_ = {arena.take<Chunk>(chunks), static_cast<std::size_t>(chunks)};
  for (Chunk& chunk : chunks_) chunk = {arena.take<float>(group_width_), true};
}

ColumnPass::Block ColumnPass::block_at(std::int64_t first) const {
  float* x = records_ + first / kRowBlock * record_values_;
  float* output_sums = x + kRowBlock * head_.inner / (bfloat16_products_ ? 2 : 1);
  return {x, output_sums, output_sums + kRowBlock * output_width_};
}

/// Calls body(key block, its first key within the group, its width) for the key blocks of a group.
template <class Body>
void ColumnPass::for_each_tile(std::int64_t group, const Body& body) const {
  const std::int64_t end = std::min((group + 1) * kGroupBlocks, key_blocks(head_.m));
  for (std::int64_t c = group * kGroupBlocks; c < end; ++c)
    body(c, (c - group * kGroupBlocks) * kKeyBlock, key_block_width(head_.m, c));
}

/// Calls body(first row, first row of the block that is next, chunk) for all row blocks.
template <class Body>
void ColumnPass::for_each_block(bool backwards, const Body& body) {
  const std::int64_t count = std::ssize(chunks_);
  base::parallel_for(count, threads_, [&](std::int64_t turn, int) {
    const std::int64_t index = backwards ? count - 1 - turn : turn;
    const std::int64_t begin = index * chunk_rows_, end = std::min(head_.n, begin + chunk_rows_);
    const std::int64_t last = begin + (end - begin - 1) / kRowBlock * kRowBlock;
    const std::int64_t step = backwards ? -kRowBlock : kRowBlock;
    for (std::int64_t first = backwards ? last : begin; first >= begin && first <= last;
         first += step)
      body(first, std::clamp<std::int64_t>(first + step, 0, head_.padded_rows() - kRowBlock),
           chunks_[index]);
  });
}

void ColumnPass::start_rows(std::int64_t first) const {
  const Block block = block_at(first);
  const float* x = head_.x.row(first).data();
  if (bfloat16_products_)
    bfloat16_products_->narrow(x, kRowBlock * head_.inner, block.x_bfloat16());
  else
    std::copy_n(x, kRowBlock * head_.inner, block.x);
  std::fill_n(block.output_sums, kRowBlock * output_width_, 0.0f);
  std::fill_n(&row_sums_[first], kRowBlock, 0.0f);
}

/// Entries of K and their part of the column sums. Meanwhile the record of the block at `next` is
/// fetched.
void ColumnPass::compute_rows(std::int64_t group, std::int64_t first, std::int64_t next,
                              Chunk& chunk) const {
  const Block block = block_at(first);
  const std::int64_t rows = rows_from(first);
  const std::int64_t bytes = record_values_ * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t tiles = std::min(kGroupBlocks, key_blocks(head_.m) - group * kGroupBlocks);
  const char* ahead = reinterpret_cast<const char*>(block_at(next).x);
  for_each_tile(group, [&](std::int64_t c, std::int64_t begin, std::int64_t width) {
    const std::int64_t key = c * kKeyBlock;
    const GibbsTile operands{.x = block.x,
                             .inner = head_.inner,
                             .rows = rows,
                             .keys = head_.keys + key * head_.inner,
                             .columns = width,
                             .row_offset = row_offset_.data() + first,
                             .column_offset = column_offset_.data() + key};
    float* column_sums = chunk.column_sums + begin;
    const MemoryAhead memory{ahead, bytes / tiles};
    ahead += memory.bytes;
    if (bfloat16_products_)
      bfloat16_products_->gibbs_tile_columns(
          operands, block.x_bfloat16(), bfloat16_keys_ + key * head_.inner,
          block.gibbs_bfloat16() + kRowBlock * begin, column_sums, memory);
    else
      gibbs_tile_columns(operands, block.gibbs + kRowBlock * begin, column_sums, memory);
  });
}

/// c of a group, and the values times c. False if a column sum is out of range.
bool ColumnPass::close_columns(std::int64_t group) {
  const std::int64_t first = group * kGroupBlocks * kKeyBlock;
  std::int64_t width = 0;
  for_each_tile(group, [&](std::int64_t, std::int64_t, std::int64_t columns) { width += columns; });
  const std::int64_t keys = std::min(width, head_.m - first);
  std::ranges::fill(scaling_, 0.0f);
  for (const Chunk& chunk : chunks_)
    for (std::int64_t j = 0; j < keys; ++j) scaling_[j] += chunk.column_sums[j];
  for (std::int64_t j = 0; j < keys; ++j) {
    // Written so that NaN is out of range.
    if (!(scaling_[j] >= kLeastSum * static_cast<double>(head_.n) && std::isfinite(scaling_[j])))
      return false;
    scaling_[j] = 1.0f / scaling_[j];
    scaling_sum_ += static_cast<double>(scaling_[j]);
  }
  pack_values(values_.block(first, 0, keys, values_.cols),
              scaling_.first(static_cast<std::size_t>(keys)), group_values_);
  if (bfloat16_products_)
    bfloat16_products_->pair_values(group_values_, keys, output_width_, group_values_bfloat16_);
  return true;
}

/// What a group adds to the outputs and row sums of a block.
void ColumnPass::apply_rows(std::int64_t group, std::int64_t first) {
  const Block block = block_at(first);
  const std::int64_t rows = rows_from(first);
  float partial_sums[kRowBlock * kTilePadding] = {};
  for_each_tile(group, [&](std::int64_t c, std::int64_t begin, std::int64_t width) {
    const std::int64_t keys = std::min(width, head_.m - c * kKeyBlock);
    const float* factors = scaling_.data() + begin;
    if (bfloat16_products_) {
      const BFloat16* tile = block.gibbs_bfloat16() + kRowBlock * begin;
      add_row_dots(tile, rows, width, factors, partial_sums);
      bfloat16_products_->add_values(tile, rows, width,
                                     group_values_bfloat16_ + begin * output_width_, keys,
                                     output_width_, block.output_sums);
    } else {
      const float* tile = block.gibbs + kRowBlock * begin;
      add_row_dots(tile, rows, width, factors, partial_sums);
      add_values(tile, rows, width, group_values_ + begin * output_width_, keys, output_width_,
                 block.output_sums);
    }
  });
  float sums[kRowBlock];
  reduce_row_sums(partial_sums, rows, sums);
  for (std::int64_t i = 0; i < rows; ++i) row_sums_[first + i] += sums[i];
}

/// Divides the rows of a block by their sums.
void ColumnPass::write_rows(std::int64_t first, tensor::MatrixView<float> output,
                            Chunk& chunk) const {
  const std::int64_t rows = rows_from(first);
  float factors[kRowBlock];
  for (std::int64_t i = 0; i < rows; ++i) {
    const float sum = row_sums_[first + i];
    if (!(sum >= kLeastSum * scaling_sum_ && std::isfinite(sum))) chunk.in_range = false;
    factors[i] = 1.0f / sum;
  }
  const tensor::MatrixView<const float> sums(block_at(first).output_sums, rows, output.cols,
                                             output_width_);
  tensor::scale_rows<float>(sums, {factors, static_cast<std::size_t>(rows)},
                            output.block(first, 0, rows, output.cols));
}

bool ColumnPass::run(tensor::MatrixView<float> output) {
  // One turn applies a group and computes the next in its place, while its rows are in cache. Every
  // other turn goes backwards, for the rows that a turn ends with are in cache, too.
  for (std::int64_t group = 0; group <= groups(); ++group) {
    for (Chunk& chunk : chunks_) std::fill_n(chunk.column_sums, group_width_, 0.0f);
    for_each_block(group % 2 == 1, [&](std::int64_t first, std::int64_t next, Chunk& chunk) {
      if (group == 0)
        start_rows(first);
      else
        apply_rows(group - 1, first);
      if (group < groups())
        compute_rows(group, first, next, chunk);
      else
        write_rows(first, output, chunk);
    });
    if (group < groups() && !close_columns(group)) return false;
  }
  return std::ranges::all_of(chunks_, &Chunk::in_range);
}

double ColumnPass::row_error() const {
  const tensor::ArenaScope scope(arena_);
  const tensor::VectorView<float> ones = arena_.vector<float>(std::ssize(row_sums_));
  std::ranges::fill(ones, 1.0f);
  // Columns sum to 1 here, and to n / m in the plan.
  return static_cast<double>(column_error<float>(
      head_.n, static_cast<float>(head_.m) / static_cast<float>(head_.n), row_sums_, ones));
}

}  // namespace

bool apply_closed_row_dual(const TiledHead& head, tensor::VectorView<const float> row_dual,
                           tensor::MatrixView<const float> values, const SweepOptions& options,
                           tensor::MatrixView<float> output, tensor::Arena& scratch,
                           double* row_error) {
  const tensor::ArenaScope scope(scratch);
  ColumnPass pass(head, shifted_row_dual(head, row_dual, scratch), values, options, scratch);
  if (!pass.run(output)) return false;
  if (row_error) *row_error = pass.row_error();
  return true;
}

}  // namespace asap::attention
