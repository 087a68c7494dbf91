#include "attention/tiled/gibbs_sweep.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/tiled/tile_operands.h"
#include "base/parallel.h"

namespace asap::attention {
namespace {

/// A block of rows is read twice, so it should stay in the second-level cache.
constexpr std::int64_t kBlockBytes = std::int64_t{800} * 1024;
/// Kept rows are read twice, from the first-level cache if few enough are taken at once.
constexpr std::int64_t kSweptBytes = std::int64_t{24} * 1024;
constexpr std::int64_t kMostChunks = 32;
constexpr std::int64_t kFewestBlocksPerChunk = 4;

}  // namespace

/// A fixed run of row blocks with column sums of its own.
struct GibbsSweep::Chunk {
  float* column_sums;  // [padded_keys]
  float exponent;      // of the column sums
  bool in_range;
};

GibbsSweep::GibbsSweep(const TiledHead& head, const SweepOptions& options, tensor::Arena& arena)
    : head_(head), options_(options), arena_(arena) {
  const GibbsStorage storage = options.storage;
  const std::int64_t padded = head.padded_keys();
  const std::int64_t row_bytes = padded * static_cast<std::int64_t>(sizeof(float));
  block_rows_ = storage == GibbsStorage::recompute && kRowBlock * row_bytes > kBlockBytes
                    ? kTileRows
                    : kRowBlock;
  sweep_rows_ = kRowBlock * row_bytes > kSweptBytes ? kTileRows : kRowBlock;
  const std::int64_t blocks = head.padded_rows() / kRowBlock;
  chunk_rows_ =
      kRowBlock * std::max(kFewestBlocksPerChunk, (blocks + kMostChunks - 1) / kMostChunks);
  const std::int64_t chunks = (head.n + chunk_rows_ - 1) / chunk_rows_;
  chunks_ = {arena.take<Chunk>(chunks), static_cast<std::size_t>(chunks)};
  for (Chunk& chunk : chunks_) chunk = {arena.take<float>(padded), 0, true};
  column_sums_ = arena.vector<float>(padded);
  if (storage == GibbsStorage::single || storage == GibbsStorage::rows)
    kept_ = arena.take<float>(head.padded_rows() * padded);
  if (storage == GibbsStorage::bfloat16)
    kept_bfloat16_ = arena.take<BFloat16>(head.padded_rows() * padded);
  workers_ = {arena.take<Worker>(options.threads), static_cast<std::size_t>(options.threads)};
  for (Worker& worker : workers_)
    worker = {arena.take<float>(std::max(block_rows_ * padded, kRowBlock * kWidestKeyBlock)),
              arena.take<float>(kRowBlock * kTilePadding),
              arena.take<float>(kRowBlock * kTilePadding), nullptr,
              arena.take<BFloat16>(kRowBlock * kWidestKeyBlock)};
  // Pairs need an even inner width.
  if (options.precision == ProductPrecision::bfloat16 && head.inner % 2 == 0)
    bfloat16_products_ = bfloat16_kernels();
  if (bfloat16_products_ && !kept_) round_operands();
}

void GibbsSweep::round_operands() {
  bfloat16_x_ = arena_.take<BFloat16>(head_.padded_rows() * head_.inner);
  bfloat16_products_->narrow(head_.x.data, head_.padded_rows() * head_.inner, bfloat16_x_);
  bfloat16_keys_ = arena_.take<BFloat16>(head_.padded_keys() * head_.inner);
  for (std::int64_t c = 0; c < key_blocks(head_.m); ++c) {
    const std::int64_t offset = c * kKeyBlock * head_.inner;
    bfloat16_products_->pair_keys(head_.keys + offset, head_.inner, key_block_width(head_.m, c),
                                  bfloat16_keys_ + offset);
  }
}

GibbsTile GibbsSweep::tile_at(std::int64_t first, std::int64_t rows, std::int64_t key_block,
                              tensor::VectorView<const float> row_offset,
                              tensor::VectorView<const float> column_offset) const {
  const std::int64_t begin = key_block * kKeyBlock;
  return {.x = head_.x.row(first).data(),
          .inner = head_.inner,
          .rows = rows,
          .keys = head_.keys + begin * head_.inner,
          .columns = key_block_width(head_.m, key_block),
          .row_offset = row_offset.data() + first,
          .column_offset = column_offset.data() + begin};
}

/// One tile of K and its part of the row sums, from operands as they are or rounded.
void GibbsSweep::compute_tile(const GibbsTile& operands, std::int64_t first, std::int64_t key,
                              bool rounded, float* tile, const Worker& worker) const {
  if (rounded)
    bfloat16_products_->gibbs_tile(operands, bfloat16_x_ + first * head_.inner,
                                   bfloat16_keys_ + key * head_.inner, tile, worker.row_sums);
  else
    gibbs_tile(operands, tile, worker.row_sums);
}

/// Calls body(first row, rows, worker, chunk) for every block of `block_rows` rows.
template <class Body>
void GibbsSweep::for_each_block(std::int64_t block_rows, const Body& body) {
  base::parallel_for(std::ssize(chunks_), options_.threads, [&](std::int64_t index, int worker) {
    const std::int64_t end = std::min(head_.n, (index + 1) * chunk_rows_);
    for (std::int64_t first = index * chunk_rows_; first < end; first += block_rows)
      body(first, std::min(block_rows, end - first), workers_[worker], chunks_[index]);
  });
  for (const Chunk& chunk : chunks_) trustworthy_ = trustworthy_ && chunk.in_range;
}

void GibbsSweep::note_range(const float* sums, std::int64_t count, Chunk& chunk) const {
  for (std::int64_t i = 0; i < count; ++i)
    if (!sum_in_range(sums[i])) chunk.in_range = false;
}

/// Weights 2^(log_weights - exponent of the chunk), 0 beyond the rows; the exponent rises to the
/// largest. sums: see RowUpdate; weights: [kRowBlock].
void GibbsSweep::weigh_rows(std::int64_t first, std::int64_t rows, const float* sums,
                            const RowUpdate& update, Chunk& chunk, float* weights) const {
  update(first, rows, sums, weights);
  float largest = chunk.exponent;
  for (std::int64_t i = 0; i < rows; ++i) largest = std::max(largest, weights[i]);
  if (largest > chunk.exponent) {
    const float factor = std::exp2(chunk.exponent - largest);
    for (std::int64_t j = 0; j < head_.padded_keys(); ++j) chunk.column_sums[j] *= factor;
    chunk.exponent = largest;
  }
  const auto padded = static_cast<std::size_t>(round_up(rows, kTilePadding));
  for (std::int64_t i = 0; i < rows; ++i) weights[i] -= chunk.exponent;
  std::fill(weights + rows, weights + kRowVector, -std::numeric_limits<float>::infinity());
  exp2_values({weights, padded}, {weights, padded});
  std::fill(weights + padded, weights + kRowVector, 0.0f);
}

/// Row sums of a computed block to weights, then its column sums.
template <class Entry>
void GibbsSweep::accumulate(const Entry* block, std::int64_t first, std::int64_t rows,
                            const RowUpdate& update, bool second, const Worker& worker,
                            Chunk& chunk) {
  float sums[2 * kRowVector] = {}, weights[kRowVector];
  reduce_row_sums(worker.row_sums, rows, sums);
  note_range(sums, rows, chunk);
  if (second) reduce_row_sums(worker.second_row_sums, rows, sums + kRowVector);
  weigh_rows(first, rows, sums, update, chunk, weights);
  for (std::int64_t c = 0; c < key_blocks(head_.m); ++c)
    add_column_sums(block + c * kKeyBlock * block_rows_, rows, key_block_width(head_.m, c), weights,
                    chunk.column_sums + c * kKeyBlock);
}

void GibbsSweep::begin_pass(float exponent) {
  for (Chunk& chunk : chunks_) {
    std::fill_n(chunk.column_sums, head_.padded_keys(), 0.0f);
    chunk.exponent = exponent;
  }
}

/// Adds the column sums of all chunks, in order.
void GibbsSweep::add_chunks() {
  column_exponent_ = -std::numeric_limits<float>::infinity();
  for (const Chunk& chunk : chunks_) column_exponent_ = std::max(column_exponent_, chunk.exponent);
  std::ranges::fill(column_sums_, 0.0f);
  for (const Chunk& chunk : chunks_) {
    const float factor = std::exp2(chunk.exponent - column_exponent_);
    for (std::size_t j = 0; j < column_sums_.size(); ++j)
      column_sums_[j] += factor * chunk.column_sums[j];
  }
  Chunk all{column_sums_.data(), column_exponent_, true};
  note_range(column_sums_.data(), head_.m, all);
  trustworthy_ = trustworthy_ && all.in_range;
}

void GibbsSweep::compute(tensor::VectorView<const float> row_offset,
                         tensor::VectorView<const float> column_offset, const RowUpdate& update,
                         tensor::VectorView<const float> second_factors) {
  const bool second = !second_factors.empty();
  scores_are_behind_sums_ = true;
  begin_pass(-std::numeric_limits<float>::infinity());
  for_each_block(block_rows_, [&](std::int64_t first, std::int64_t rows, const Worker& worker,
                                  Chunk& chunk) {
    float* single = kept_ ? kept_ + first * head_.padded_keys() : worker.block;
    BFloat16* bfloat16 = kept_bfloat16_ ? kept_bfloat16_ + first * head_.padded_keys() : nullptr;
    std::fill_n(worker.row_sums, kRowBlock * kTilePadding, 0.0f);
    std::fill_n(worker.second_row_sums, second ? kRowBlock * kTilePadding : 0, 0.0f);
    for (std::int64_t c = 0; c < key_blocks(head_.m); ++c) {
      const std::int64_t width = key_block_width(head_.m, c), begin = c * kKeyBlock;
      float* tile = bfloat16 ? single : single + begin * block_rows_;
      compute_tile(tile_at(first, rows, c, row_offset, column_offset), first, begin,
                   bfloat16_keys_ != nullptr, tile, worker);
      if (second)
        add_row_dots(tile, rows, width, second_factors.data() + begin, worker.second_row_sums);
      if (bfloat16) {
        const auto narrow = bfloat16_products_ ? bfloat16_products_->narrow : &narrow_tile;
        narrow(tile, round_up(rows, kTileRows) * width, bfloat16 + begin * kRowBlock);
      }
    }
    if (bfloat16)
      accumulate(bfloat16, first, rows, update, second, worker, chunk);
    else
      accumulate(single, first, rows, update, second, worker, chunk);
  });
  add_chunks();
}

template <class Entry>
void GibbsSweep::sweep_entries(const Entry* kept, tensor::VectorView<const float> v,
                               const RowUpdate* update) {
  begin_pass(update ? -std::numeric_limits<float>::infinity() : 0);
  for_each_block(
      sweep_rows_, [&](std::int64_t first, std::int64_t rows, const Worker& worker, Chunk& chunk) {
        // A block of kRowBlock rows lies tile by tile; `first` may be a row inside it.
        const std::int64_t inside = first % kRowBlock;
        const Entry* block = kept + (first - inside) * head_.padded_keys();
        const auto tile = [&](std::int64_t c) {
          return block + c * kKeyBlock * kRowBlock + inside * key_block_width(head_.m, c);
        };
        float sums[kRowVector] = {}, weights[kRowVector] = {};
        std::fill_n(worker.row_sums, round_up(rows, kTileRows) * kTilePadding, 0.0f);
        for (std::int64_t c = 0; c < key_blocks(head_.m); ++c)
          add_row_dots(tile(c), rows, key_block_width(head_.m, c), v.data() + c * kKeyBlock,
                       worker.row_sums);
        reduce_row_sums(worker.row_sums, rows, sums);
        note_range(sums, rows, chunk);
        if (update)
          weigh_rows(first, rows, sums, *update, chunk, weights);
        else
          for (std::int64_t i = 0; i < rows; ++i) weights[i] = 1.0f / sums[i];
        for (std::int64_t c = 0; c < key_blocks(head_.m); ++c)
          add_column_sums(tile(c), rows, key_block_width(head_.m, c), weights,
                          chunk.column_sums + c * kKeyBlock);
      });
  add_chunks();
}

void GibbsSweep::sweep_kept(tensor::VectorView<const float> v, const RowUpdate* update) {
  if (kept_)
    sweep_entries(kept_, v, update);
  else
    sweep_entries(kept_bfloat16_, v, update);
}

/// factors_j values_j, padded to `output_width_`, in the form in which products read them.
struct GibbsSweep::Values {
  const float* single;       // [m, output_width_]
  const BFloat16* bfloat16;  // in pairs; null for ProductPrecision::single
};

GibbsSweep::Values GibbsSweep::prepare_values(tensor::MatrixView<const float> values,
                                              tensor::VectorView<const float> factors) {
  output_width_ = round_up(values.cols, kTilePadding);
  for (Worker& worker : workers_)
    worker.block_output = arena_.take<float>(kRowBlock * output_width_);
  float* single = arena_.take<float>(values.rows * output_width_);
  pack_values(values, factors, single);
  if (!bfloat16_products_) return {single, nullptr};
  auto* bfloat16 = arena_.take<BFloat16>(round_up(values.rows, kTilePadding) * output_width_);
  bfloat16_products_->pair_values(single, values.rows, output_width_, bfloat16);
  return {single, bfloat16};
}

/// worker.block_output += tile times its rows of the values.
void GibbsSweep::add_tile_values(const float* tile, std::int64_t rows, std::int64_t key_block,
                                 const Values& values, const Worker& worker) const {
  const std::int64_t width = key_block_width(head_.m, key_block), begin = key_block * kKeyBlock;
  const std::int64_t keys = std::min(width, head_.m - begin);
  if (values.bfloat16) {
    bfloat16_products_->narrow(tile, round_up(rows, kTileRows) * width, worker.bfloat16_tile);
    bfloat16_products_->add_values(worker.bfloat16_tile, rows, width,
                                   values.bfloat16 + begin * output_width_, keys, output_width_,
                                   worker.block_output);
  } else {
    add_values(tile, rows, width, values.single + begin * output_width_, keys, output_width_,
               worker.block_output);
  }
}

/// Divides the rows of a block by their sums, and notes those where there is room for them.
void GibbsSweep::write_output(std::int64_t first, std::int64_t rows, const Worker& worker,
                              tensor::MatrixView<float> output, tensor::VectorView<float> row_sums,
                              Chunk& chunk) const {
  float sums[kRowBlock];
  reduce_row_sums(worker.row_sums, rows, sums);
  note_range(sums, rows, chunk);
  if (!row_sums.empty()) std::copy_n(sums, rows, row_sums.data() + first);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float factor = 1.0f / sums[i];
    const float* from = worker.block_output + i * output_width_;
    float* to = output.row(first + i).data();
    for (std::int64_t d = 0; d < output.cols; ++d) to[d] = factor * from[d];
  }
}

void GibbsSweep::apply_computed(tensor::VectorView<const float> row_offset,
                                tensor::VectorView<const float> column_offset,
                                tensor::MatrixView<const float> values,
                                tensor::MatrixView<float> output,
                                tensor::VectorView<float> row_sums) {
  const tensor::ArenaScope scope(arena_);
  const tensor::VectorView<float> ones = arena_.vector<float>(values.rows);
  std::ranges::fill(ones, 1.0f);
  const Values prepared = prepare_values(values, ones);
  const bool rounded = bfloat16_keys_ != nullptr && !scores_are_behind_sums_;
  for_each_block(kRowBlock,
                 [&](std::int64_t first, std::int64_t rows, const Worker& worker, Chunk& chunk) {
                   std::fill_n(worker.row_sums, kRowBlock * kTilePadding, 0.0f);
                   std::fill_n(worker.block_output, kRowBlock * output_width_, 0.0f);
                   for (std::int64_t c = 0; c < key_blocks(head_.m); ++c) {
                     compute_tile(tile_at(first, rows, c, row_offset, column_offset), first,
                                  c * kKeyBlock, rounded, worker.block, worker);
                     add_tile_values(worker.block, rows, c, prepared, worker);
                   }
                   write_output(first, rows, worker, output, row_sums, chunk);
                 });
}

void GibbsSweep::apply_kept(tensor::VectorView<const float> v,
                            tensor::MatrixView<const float> values,
                            tensor::MatrixView<float> output, tensor::VectorView<float> row_sums) {
  const tensor::ArenaScope scope(arena_);
  const Values prepared = prepare_values(values, v.first(static_cast<std::size_t>(values.rows)));
  for_each_block(kRowBlock,
                 [&](std::int64_t first, std::int64_t rows, const Worker& worker, Chunk& chunk) {
                   std::fill_n(worker.row_sums, kRowBlock * kTilePadding, 0.0f);
                   std::fill_n(worker.block_output, kRowBlock * output_width_, 0.0f);
                   for (std::int64_t c = 0; c < key_blocks(head_.m); ++c)
                     apply_kept_tile(first, rows, c, v, prepared, worker);
                   write_output(first, rows, worker, output, row_sums, chunk);
                 });
}

/// One tile of the kept Gibbs kernel, in the precision in which it is kept and multiplied.
void GibbsSweep::apply_kept_tile(std::int64_t first, std::int64_t rows, std::int64_t key_block,
                                 tensor::VectorView<const float> v, const Values& values,
                                 const Worker& worker) const {
  const std::int64_t width = key_block_width(head_.m, key_block), begin = key_block * kKeyBlock;
  const std::int64_t offset = first * head_.padded_keys() + begin * kRowBlock;
  const float* factors = v.data() + begin;
  if (kept_) {
    add_row_dots(kept_ + offset, rows, width, factors, worker.row_sums);
    add_tile_values(kept_ + offset, rows, key_block, values, worker);
  } else if (values.bfloat16) {
    add_row_dots(kept_bfloat16_ + offset, rows, width, factors, worker.row_sums);
    bfloat16_products_->add_values(
        kept_bfloat16_ + offset, rows, width, values.bfloat16 + begin * output_width_,
        std::min(width, head_.m - begin), output_width_, worker.block_output);
  } else {
    widen_tile(kept_bfloat16_ + offset, round_up(rows, kTileRows) * width, worker.block);
    add_row_dots(worker.block, rows, width, factors, worker.row_sums);
    add_tile_values(worker.block, rows, key_block, values, worker);
  }
}

}  // namespace asap::attention
