#pragma once

#include "attention/tiled/bfloat16_kernels.h"
#include "attention/tiled/tiled_head.h"
#include "tensor/core/product_precision.h"

namespace asap::attention {

/// What becomes of a Gibbs kernel K = 2^(x . y + offsets) between passes over it.
enum class GibbsStorage {
  recompute,  ///< computed anew in every pass: O(N D) memory
  single,     ///< kept as float: N M values
  bfloat16,   ///< kept as bfloat16: half the memory traffic, plan entries within 0.4 %
  rows,       ///< as `single`; the compiled operator, where it can, keeps whole rows, not tiles
};

/// The precision of matrix products. `bfloat16`, on processors with AVX512_BF16 or AMX_BF16:
/// queries, keys, values and the plan entries that these meet are rounded (2^-9 of each). Where
/// sums of another pass belong to the scores behind the output, those stay in float
/// (GibbsStorage::recompute with more than one pass).
using tensor::ProductPrecision;

/// How a GibbsSweep works.
struct SweepOptions {
  GibbsStorage storage = GibbsStorage::recompute;
  ProductPrecision precision = ProductPrecision::single;
  int threads = 1;  ///< row blocks are shared out; the result does not depend on it
};

/// A callable that somebody else owns and that turns row sums of rows [first, first + count) into
/// base-2 logarithms of their weights: (first, count, row_sums, log_weights). Both have room for
/// kRowVector values; second row sums, where a pass has them, begin at row_sums + kRowVector. Not
/// std::function, which may allocate.
class RowUpdate {
 public:
  template <class Callable>
  RowUpdate(
      const Callable& callable)  // NOLINT(google-explicit-constructor): stands for the callable
      : callable_(&callable),
        call_([](const void* c, std::int64_t first, std::int64_t count, const float* row_sums,
                 float* log_weights) {
          (*static_cast<const Callable*>(c))(first, count, row_sums, log_weights);
        }) {}

  void operator()(std::int64_t first, std::int64_t count, const float* row_sums,
                  float* log_weights) const {
    call_(callable_, first, count, row_sums, log_weights);
  }

 private:
  const void* callable_;
  void (*call_)(const void*, std::int64_t, std::int64_t, const float*, float*);
};

/// Passes over the Gibbs kernel of one head, row block by row block. Every pass takes the row sums
/// of a block, lets the caller turn them into row weights, and adds the weighted rows up by columns
/// while the block is still in cache: a Sinkhorn iteration is one pass.
///
/// `threads` threads share the row blocks in chunks that do not depend on their number, and chunks
/// are added in order, so results do not depend on it either.
class GibbsSweep {
 public:
  /// Lives in `arena`, as long as `head` does.
  GibbsSweep(const TiledHead& head, const SweepOptions& options, tensor::Arena& arena);

  /// Computes K from offsets (see GibbsTile), keeps it unless the storage is `recompute`, and
  /// leaves column sums of weighted rows. second_factors: [padded_keys], or empty; `update` is also
  /// given the sums of the rows of K diag(second_factors), whose range it has to check itself.
  void compute(tensor::VectorView<const float> row_offset,
               tensor::VectorView<const float> column_offset, const RowUpdate& update,
               tensor::VectorView<const float> second_factors = {});
  /// The same over the kept Gibbs kernel times v. Without `update`, which may be null, the weights
  /// are 1 / (K v): a row update of Sinkhorn. v: [padded_keys], 0 for padding.
  void sweep_kept(tensor::VectorView<const float> v, const RowUpdate* update = nullptr);

  /// sum_i w_i K_ij divided by 2^column_exponent(): [padded_keys].
  tensor::VectorView<const float> column_sums() const { return column_sums_; }
  float column_exponent() const { return column_exponent_; }

  /// output = K V with each row divided by its sum, K from offsets. values: [m, Dv]; row_sums: [n]
  /// to receive these sums, or empty.
  void apply_computed(tensor::VectorView<const float> row_offset,
                      tensor::VectorView<const float> column_offset,
                      tensor::MatrixView<const float> values, tensor::MatrixView<float> output,
                      tensor::VectorView<float> row_sums = {});
  /// output = K diag(v) V with each row divided by its sum, K as kept. row_sums: as above.
  void apply_kept(tensor::VectorView<const float> v, tensor::MatrixView<const float> values,
                  tensor::MatrixView<float> output, tensor::VectorView<float> row_sums = {});

  /// False once a row or column sum has come so near to the limits of float that entries of the
  /// plan may have been lost, or was not finite.
  bool trustworthy() const { return trustworthy_; }

 private:
  struct Worker {
    float* block;             // a block of rows of K: [block_rows, padded_keys]
    float* row_sums;          // [kRowBlock, kTilePadding]
    float* second_row_sums;   // the same
    float* block_output;      // [kRowBlock, value width], taken when first needed
    BFloat16* bfloat16_tile;  // [kRowBlock, kWidestKeyBlock]
  };
  struct Chunk;

  template <class Body>
  void for_each_block(std::int64_t block_rows, const Body& body);
  template <class Entry>
  void accumulate(const Entry* block, std::int64_t first, std::int64_t rows,
                  const RowUpdate& update, bool second, const Worker& worker, Chunk& chunk);
  void weigh_rows(std::int64_t first, std::int64_t rows, const float* sums, const RowUpdate& update,
                  Chunk& chunk, float* weights) const;
  void begin_pass(float exponent);
  void compute_tile(const GibbsTile& operands, std::int64_t first, std::int64_t key, bool rounded,
                    float* tile, const Worker& worker) const;
  void add_chunks();
  template <class Entry>
  void sweep_entries(const Entry* kept, tensor::VectorView<const float> v, const RowUpdate* update);
  void note_range(const float* sums, std::int64_t count, Chunk& chunk) const;
  struct Values;
  void round_operands();
  GibbsTile tile_at(std::int64_t first, std::int64_t rows, std::int64_t key_block,
                    tensor::VectorView<const float> row_offset,
                    tensor::VectorView<const float> column_offset) const;
  Values prepare_values(tensor::MatrixView<const float> values,
                        tensor::VectorView<const float> factors);
  void add_tile_values(const float* tile, std::int64_t rows, std::int64_t key_block,
                       const Values& values, const Worker& worker) const;
  void apply_kept_tile(std::int64_t first, std::int64_t rows, std::int64_t key_block,
                       tensor::VectorView<const float> v, const Values& values,
                       const Worker& worker) const;
  void write_output(std::int64_t first, std::int64_t rows, const Worker& worker,
                    tensor::MatrixView<float> output, tensor::VectorView<float> row_sums,
                    Chunk& chunk) const;

  const TiledHead& head_;
  SweepOptions options_;
  tensor::Arena& arena_;
  std::int64_t block_rows_;  // rows of a block: fewer where a block would not fit the cache
  std::int64_t chunk_rows_;
  std::int64_t sweep_rows_;  // rows that a sweep over the kept Gibbs kernel takes at once
  float* kept_ = nullptr;    // [blocks][kRowBlock * padded_keys], key blocks one after another
  BFloat16* kept_bfloat16_ = nullptr;
  const BFloat16KernelSet* bfloat16_products_ = nullptr;  // null for ProductPrecision::single
  BFloat16* bfloat16_x_ = nullptr;                        // [padded rows, D]
  BFloat16* bfloat16_keys_ = nullptr;                     // paired, as head.keys
  std::int64_t output_width_ = 0;
  tensor::VectorView<Worker> workers_;
  tensor::VectorView<Chunk> chunks_;
  tensor::VectorView<float> column_sums_;
  float column_exponent_ = 0;
  bool scores_are_behind_sums_ = false;  // a pass has left sums that the output depends on
  bool trustworthy_ = true;
};

}  // namespace asap::attention
